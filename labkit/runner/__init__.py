"""Runs the lab's notebooks unattended, in order, and reports on it."""
