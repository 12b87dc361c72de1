"""What the simulation knows about images and nobody else: for graders, and never to learn from."""

from pathlib import Path

from gourmetgram.core.journal import read_lines

FILE = "truth/images.jsonl"
"""Where a generator keeps it, below its state folder."""


def known(path: Path) -> dict[int, bool]:
    """Whether an image is harmful, by its id, as far as it has been written down; empty if there is no such file."""
    return {line["image_id"]: line["harmful"] for line in read_lines(path)}
