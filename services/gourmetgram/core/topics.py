"""Topics of the broker: their names, and how they are laid out."""

from datetime import timedelta
from typing import Final

UPLOADS: Final = "gourmetgram.uploads"
VIEWS: Final = "gourmetgram.views"
COMMENTS: Final = "gourmetgram.comments"
FLAGS: Final = "gourmetgram.flags"
DELETIONS: Final = "gourmetgram.deletions"
MODERATION_REQUESTS: Final = "gourmetgram.moderation_requests"
DEAD_LETTERS: Final = "gourmetgram.dead_letters"

EVENT_TOPICS: Final = {
    "upload": UPLOADS,
    "view": VIEWS,
    "comment": COMMENTS,
    "flag": FLAGS,
    "deletion": DELETIONS,
}
"""Where the events of each type go."""

ALL: Final = (*EVENT_TOPICS.values(), MODERATION_REQUESTS, DEAD_LETTERS)

PARTITIONS: Final = 6
"""The same number for every topic, so that an image has the same partition number in each."""

RETENTION: Final = timedelta(days=30)
