"""Compute."""

PREFIX = "/compute/v2.1"
