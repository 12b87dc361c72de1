"""Fixtures of the book's tests."""

from tests.unit.labkit.book.small_lab import lab

__all__ = ["lab"]
