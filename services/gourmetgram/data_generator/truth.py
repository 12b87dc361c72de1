"""`python -m gourmetgram.data_generator.truth`: whether each image is harmful, one JSON object a line.

Only the simulation knows, and only those who grade may ask: a model that learns from it has seen the answers.
"""

import os
from pathlib import Path

import msgspec

from gourmetgram.core import truth


def main() -> None:
    """Print what is known."""
    for image, harmful in truth.known(Path(os.environ.get("STATE_DIR", "/state")) / truth.FILE).items():
        print(msgspec.json.encode({"image_id": image, "harmful": harmful}).decode())


if __name__ == "__main__":
    main()
