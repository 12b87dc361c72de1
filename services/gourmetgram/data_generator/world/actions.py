"""One thing that a simulated person does. People, images and comments go by their number in the world, not by id."""

from dataclasses import dataclass
from enum import StrEnum

from gourmetgram.data_generator.world.people import Person
from gourmetgram.data_generator.world.posts import Post


class Deed(StrEnum):
    """What can be done; the values are the kinds of the ledger."""

    USER = "user"
    UPLOAD = "upload"
    VIEW = "view"
    COMMENT = "comment"
    FLAG = "flag"
    DELETION = "deletion"


@dataclass(frozen=True, slots=True)
class Action:
    """One write, decided but not yet done.

    `number` counts the actions of a world from 0, `actor` is the number of a person. A USER action brings `person`, an
    UPLOAD brings `post`; both take the next free number. `comment` is the number of a flagged comment's action. `gap`
    is the pause before it, in multiples of the mean pause.
    """

    number: int
    deed: Deed
    actor: int
    image: int | None = None
    comment: int | None = None
    text: str = ""
    person: Person | None = None
    post: Post | None = None
    gap: float = 0.0
