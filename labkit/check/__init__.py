"""Checks that a notebook makes of what was built, each with what to do when it fails."""

from labkit.check.checks import CheckFailed, Stage, check, stage
from labkit.check.exercise import Exercise, exercise

__all__ = ["CheckFailed", "Exercise", "Stage", "check", "exercise", "stage"]
