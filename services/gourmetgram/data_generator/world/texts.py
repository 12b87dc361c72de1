"""Captions, comments and reasons, composed from the vocabulary."""

import numpy as np

from gourmetgram.data_generator.world import words
from gourmetgram.data_generator.world.seeding import pick

DISHES = {category: tuple(dishes.split("|")) for category, dishes in words.DISHES.items()}
EMPTY_CAPTION = 0.12
HARMFUL_EMPTY_CAPTION = 0.30
HARMFUL_PROMOTION = 0.35


def draw_caption(rng: np.random.Generator, category: str, harmful: bool) -> str:
    """A caption for a photo of this category; empty for some, and more often empty or pushy for a harmful post."""
    kind = rng.random()
    empty = HARMFUL_EMPTY_CAPTION if harmful else EMPTY_CAPTION
    if kind < empty:
        return ""
    if harmful and kind < empty + HARMFUL_PROMOTION:
        return fill(rng, pick(rng, words.PROMOTIONS), category)
    text = f"{pick(rng, words.OPENINGS)} {pick(rng, words.ENDINGS)}".strip()
    return fill(rng, text, category)


def draw_comment(rng: np.random.Generator, category: str, mood: str) -> str:
    """A comment in one of the moods praise, complaint, spam."""
    phrases = {"praise": words.PRAISE, "complaint": words.COMPLAINTS, "spam": words.SPAM}[mood]
    return fill(rng, pick(rng, phrases), category)


def draw_reason(rng: np.random.Generator, kind: str) -> str:
    """Why a person flags; the kinds are harmful, mistaken and comment."""
    return pick(rng, words.FLAG_REASONS[kind])


def fill(rng: np.random.Generator, template: str, category: str) -> str:
    """The template with a word for each placeholder, its first letter in upper case."""
    text = template.format(
        dish=pick(rng, DISHES[category]),
        adjective=pick(rng, words.ADJECTIVES),
        time=pick(rng, words.TIMES),
        people=pick(rng, words.PEOPLE),
        day=pick(rng, words.DAYS),
        minutes=int(rng.integers(4, 90)),
    )
    return text[:1].upper() + text[1:]
