"""What a snapshot of the training data says about itself; a module of its own, for readers need no more than that."""

from typing import Final

LINEAGE: Final = "gourmetgram.lineage"
"""The property of a snapshot of the training data that says what it was made from, as JSON."""

REPORT: Final = "gourmetgram.eligibility"
"""The property of such a snapshot that holds the report of eligibility, as JSON."""
