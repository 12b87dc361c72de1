"""Checks that a notebook makes of what was built, each with what to do when it fails."""

from labkit.check.checks import CheckFailed, Stage, check, stage

__all__ = ["CheckFailed", "Stage", "check", "stage"]
