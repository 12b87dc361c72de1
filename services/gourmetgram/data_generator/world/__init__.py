"""The simulated world. Pure: a seed and a time come in, decisions come out; no clock, no network, no files."""
