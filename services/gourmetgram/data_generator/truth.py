"""`python -m gourmetgram.data_generator.truth`: whether each image is harmful, one JSON object a line.

Only the simulation knows, and only those who grade may ask: a model that learns from it has seen the answers.
"""

import os
from pathlib import Path

import msgspec

from gourmetgram.data_generator.home import TRUTH
from gourmetgram.data_generator.journal import read_lines


def known(state: Path) -> dict[int, bool]:
    """Whether an image is harmful, by its id, of all images that the generators of a state folder have posted."""
    return {line["image_id"]: line["harmful"] for line in read_lines(state / TRUTH / "images.jsonl")}


def main() -> None:
    """Print what is known."""
    for image, harmful in known(Path(os.environ.get("STATE_DIR", "/state"))).items():
        print(msgspec.json.encode({"image_id": image, "harmful": harmful}).decode())


if __name__ == "__main__":
    main()
