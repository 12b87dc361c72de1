"""Simulated people of GourmetGram: live traffic, one viral burst, or a week of history, all from one seed."""
