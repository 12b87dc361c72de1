"""Tooling of a hands-on lab: its stack, its book, its checks. It knows nothing of any one lab."""
