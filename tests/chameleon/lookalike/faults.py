"""Answers that never reach the service: it is down, for some requests or for all."""

import re
from dataclasses import dataclass

from tests.chameleon.lookalike.resources import EVER

UNAVAILABLE = (
    "<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>\n"
)
"""What HAProxy answers for a service behind it that is down."""


@dataclass
class Fault:
    """Requests that get this answer instead of the service's.

    Attributes:
        path: regular expression, from the beginning of the path on.
        method: of HTTP; any, when empty.
        remaining: how many requests are left that fail.
    """

    path: str
    method: str = ""
    status: int = 503
    body: str = UNAVAILABLE
    remaining: float = EVER

    def takes(self, method: str, path: str) -> bool:
        """Whether this request fails; counts it when it does."""
        if self.remaining <= 0 or self.method not in ("", method) or not re.match(self.path, path):
            return False
        self.remaining -= 1
        return True
