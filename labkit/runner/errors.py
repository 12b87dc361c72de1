"""What can be wrong with the request for a run."""


class RunError(Exception):
    """A run cannot start; the message says why and what to do."""
