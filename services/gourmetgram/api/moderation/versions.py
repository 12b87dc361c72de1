"""What somebody had seen of an image when they decided about it."""

import re
from dataclasses import dataclass
from typing import Final, Self

PATTERN: Final = r"^[0-9]{1,18}-[0-9]{1,18}-[0-9]{1,18}$"

_NEWEST: Final = """
       coalesce((SELECT max(id) FROM moderation_actions WHERE image_id = {image}), 0) AS newest_action,
       greatest(0, (SELECT max(id) FROM flags WHERE image_id = {image}),
                (SELECT max(f.id) FROM comments c JOIN flags f ON f.comment_id = c.id WHERE c.image_id = {image}))
           AS newest_flag"""


def newest(image: str) -> str:
    """Columns `newest_action` and `newest_flag` of a query, for the image whose id this expression is."""
    return _NEWEST.format(image=image)


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest action, flag and decision that was shown; 0 where there was none."""

    action: int
    flag: int
    decision: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """The reverse of `str()`.

        Raises:
            ValueError: it is not of that form.
        """
        if not re.fullmatch(PATTERN, text, re.ASCII):
            raise ValueError(f"expected the version of an item, such as 3-17-204, got {text!r}")
        return cls(*map(int, text.split("-")))

    def __str__(self) -> str:
        return f"{self.action}-{self.flag}-{self.decision}"
