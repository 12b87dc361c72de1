"""People: who they are, how old, where from, and what they tend to do."""

from dataclasses import dataclass

import numpy as np

from gourmetgram.data_generator.world.seeding import pick, shares


@dataclass(frozen=True, slots=True)
class Persona:
    """A kind of person: its share of the population, and how often it does a thing compared with a viewer."""

    name: str
    share: float
    views: float
    comments: float
    flags: float
    uploads: float


PERSONAS = (
    Persona("viewer", share=0.60, views=1.0, comments=0.2, flags=0.3, uploads=0.2),
    Persona("commenter", share=0.16, views=1.3, comments=4.0, flags=0.8, uploads=0.6),
    Persona("cook", share=0.13, views=1.0, comments=1.2, flags=0.5, uploads=6.0),
    Persona("critic", share=0.06, views=1.5, comments=2.5, flags=8.0, uploads=0.8),
    Persona("spammer", share=0.03, views=0.5, comments=6.0, flags=0.2, uploads=3.0),
    Persona("lurker", share=0.02, views=6.0, comments=0.0, flags=0.0, uploads=0.0),
)
PERSONA_SHARES = shares([persona.share for persona in PERSONAS])

COUNTRIES = {
    "US": 24, "IN": 14, "BR": 9, "MX": 7, "GB": 6, "DE": 6, "JP": 6, "ID": 5, "FR": 4, "NG": 4, "IT": 4, "KR": 3,
    "TR": 3, "ES": 3, "VN": 3, "PL": 2, "CA": 2, "AU": 2, "TH": 2, "EG": 2, "KE": 1, "NL": 1, "AR": 1, "PT": 1,
}  # fmt: skip
COUNTRY_CODES = tuple(COUNTRIES)
COUNTRY_SHARES = shares(list(COUNTRIES.values()))

FIRST = [
    "amara",
    "bruno",
    "chloe",
    "daan",
    "elif",
    "farid",
    "greta",
    "hugo",
    "ines",
    "jun",
    "kofi",
    "lena",
    "mateo",
    "nadia",
    "omar",
    "priya",
    "quinn",
    "rosa",
    "sami",
    "tomas",
    "uma",
    "victor",
    "wen",
    "ximena",
    "yuki",
    "zara",
    "anouk",
    "boris",
    "carmen",
    "dmitri",
    "esther",
    "fatou",
    "gio",
    "hana",
    "ivan",
    "jorge",
    "kira",
    "luca",
    "mina",
    "noor",
]
HABIT = [
    "bakes",
    "cooks",
    "eats",
    "fries",
    "grills",
    "stews",
    "tastes",
    "plates",
    "kneads",
    "brews",
    "dines",
    "feasts",
    "nibbles",
    "simmers",
    "spices",
    "slurps",
    "crumbs",
    "noodles",
    "dumplings",
    "suppers",
]

AGE_UNKNOWN = 0.08
MINOR = 0.06
TEST_ACCOUNT = 0.02
ADULT_AGE = 19
OLDEST = 79


@dataclass(frozen=True, slots=True)
class Person:
    """What a person tells at registration (all but `persona`, which only the simulation knows)."""

    username: str
    persona: Persona
    country: str
    year_of_birth: int | None
    is_test_account: bool


def draw_person(rng: np.random.Generator, scope: str, number: int, year: int) -> Person:
    """Person `number` of a scope (a prefix such as "h"), as of `year`. The pair makes the username unique."""
    return Person(
        username=f"{pick(rng, FIRST)}_{pick(rng, HABIT)}_{scope}{number}",
        persona=PERSONAS[int(rng.choice(len(PERSONAS), p=PERSONA_SHARES))],
        country=COUNTRY_CODES[int(rng.choice(len(COUNTRY_CODES), p=COUNTRY_SHARES))],
        year_of_birth=draw_year_of_birth(rng, year),
        is_test_account=bool(rng.random() < TEST_ACCOUNT),
    )


def draw_year_of_birth(rng: np.random.Generator, year: int) -> int | None:
    """A year of birth: unknown for some, a minor's for some, else an adult's with a median age near 33."""
    kind, age = rng.random(), rng.gamma(2.2, 7.5)
    if kind < AGE_UNKNOWN:
        return None
    if kind < AGE_UNKNOWN + MINOR:
        return year - int(rng.integers(13, ADULT_AGE))
    return year - min(ADULT_AGE + int(age), OLDEST)


def draw_plain_adult(rng: np.random.Generator, scope: str, number: int, year: int) -> Person:
    """A person whose activity every later stage counts: of age, and no test account."""
    drawn = draw_person(rng, scope, number, year)
    return Person(drawn.username, PERSONAS[0], drawn.country, year - int(rng.integers(ADULT_AGE + 2, 60)), False)
