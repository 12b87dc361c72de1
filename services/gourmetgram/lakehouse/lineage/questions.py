"""The three questions about lineage: of a decision, of an image, of a model. Looks up what is known, and chains it."""

from collections.abc import Callable, Mapping
from typing import Final

from gourmetgram.lakehouse.lineage import decisions, images, models
from gourmetgram.lakehouse.lineage.chain import Chain
from gourmetgram.lakehouse.lineage.lake import Lake, Unknown
from gourmetgram.lakehouse.settings import LakehouseSettings

ANSWERS: Final[Mapping[str, Callable[[Lake, str], Chain]]] = {
    "decision": decisions.chain,
    "image": images.chain,
    "model": models.chain,
}

KINDS: Final = tuple(ANSWERS)


def lineage(settings: LakehouseSettings, kind: str, identity: str) -> Chain:
    """Where something comes from.

    Args:
        settings: of the lakehouse.
        kind: decision, image or model.
        identity: number of a decision or its request's id; number of an image; version of a model.

    Raises:
        Unknown: there is no such thing; the message says what there is instead.
    """
    if kind not in ANSWERS:
        raise Unknown(f"lineage is known of a {', '.join(KINDS[:-1])} or {KINDS[-1]}, not of a {kind}")
    with Lake.open(settings) as lake:
        return ANSWERS[kind](lake, str(identity))
