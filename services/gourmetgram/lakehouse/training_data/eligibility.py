"""Whose posts may be learned from: the rules, in the order in which they are asked, and the report of a run."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple, TypedDict


class Rule(NamedTuple):
    """Excludes images. `condition` is SQL over the columns of `posts` (sql/posts.sql) and `has_upload_event`."""

    name: str
    reason: str
    condition: str


RULES: Final = (
    Rule("deleted", "It was taken back; nothing may be learned from it any more.", "image_id IS NULL"),
    Rule(
        "no_upload_event",
        "Its upload never reached the topics, so what we know about its first minutes may have holes.",
        "NOT has_upload_event",
    ),
    Rule("synthetic", "A program made it; a model would learn the program's habits.", "source = 'synthetic'"),
    Rule("test_account", "Its uploader is one of us, trying things out.", "is_test_account"),
    Rule(
        "terms_not_accepted",
        "Its uploader had not accepted the terms of use, which is where people agree to this.",
        "tos_version_accepted IS NULL OR tos_version_accepted < 1 OR tos_accepted_at IS NULL",
    ),
    Rule("age_unknown", "Its uploader gave no year of birth and may be a minor.", "year_of_birth IS NULL"),
    Rule(
        "minor",
        "Its uploader may have been under 18: only the year of birth is known, so the year of the 18th birthday counts "
        "as before it.",
        "extract(year FROM make_timestamp(uploaded_at)) - year_of_birth <= 18",
    ),
)


class Excluded(TypedDict):
    """One line of the report."""

    rule: str
    reason: str
    images: int


class Report(TypedDict):
    """How many images a run has looked at, which rule excluded how many as the first one, and how many are left."""

    considered: int
    excluded: list[Excluded]
    kept: int


def cases() -> str:
    """The rules as the branches of a CASE, which gives the name of the first that applies."""
    return "\n           ".join(f"WHEN {rule.condition} THEN '{rule.name}'" for rule in RULES)


def report(images: Mapping[str | None, int]) -> Report:
    """The report from how many images were excluded by each rule; by None are those that were kept."""
    excluded = [Excluded(rule=rule.name, reason=rule.reason, images=images.get(rule.name, 0)) for rule in RULES]
    return Report(considered=sum(images.values()), excluded=excluded, kept=images.get(None, 0))


def told(of: Report) -> Iterable[str]:
    """The report in lines, for people."""
    yield f"{of['considered']} images were considered"
    for one in of["excluded"]:
        yield f"{-one['images']:>8}  {one['rule']}: {one['reason']}"
    yield f"{of['kept']:>8}  are learned from"
