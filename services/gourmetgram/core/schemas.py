"""Writes the JSON Schema of each event to `schemas/`, for readers in other languages.

Run `python -m gourmetgram.core.schemas` after a change of `events.py`; a test compares the files.
"""

import json
from pathlib import Path

import msgspec

from gourmetgram.core.events import EVENT_CLASSES, Event

FOLDER = Path(__file__).parent / "schemas"


def render(event_class: type[Event]) -> str:
    """The schema of one event class as the text of its file."""
    _, definitions = msgspec.json.schema_components([event_class])
    return json.dumps(definitions[event_class.__name__] | {"$schema": _DIALECT}, indent=2, sort_keys=True) + "\n"


def path(event_class: type[Event]) -> Path:
    """The file that holds the schema of this class."""
    return FOLDER / f"{event_class.type}.schema.json"


def main() -> None:
    """Write all schemas."""
    FOLDER.mkdir(exist_ok=True)
    for event_class in EVENT_CLASSES:
        path(event_class).write_text(render(event_class))


_DIALECT = "https://json-schema.org/draft/2020-12/schema"

if __name__ == "__main__":
    main()
