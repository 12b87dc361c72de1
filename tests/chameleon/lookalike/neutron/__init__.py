"""Networking."""

PREFIX = "/network"
