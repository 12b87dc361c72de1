"""What a portal for artifacts shows of the lab: trovi.json, an RO-Crate, made from docs/artifact.yaml and the snippets.

Chameleon's portal, Trovi, reads it when it imports a repository. The limits are those in the sources of Trovi, in its
models and migrations.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from labkit.book.errors import SnippetError, in_file
from labkit.book.snippets import Snippet

FACTS = "docs/artifact.yaml"
CRATE = "trovi.json"

TITLE_CHARACTERS = 140
SHORT_DESCRIPTION_CHARACTERS = 200
LONG_DESCRIPTION_CHARACTERS = 5000
TAG_CHARACTERS = 32
AUTHOR_CHARACTERS = 200
EMAIL_CHARACTERS = 254

ENVIRONMENTS: Mapping[str, Mapping[str, str]] = {
    "jupyterhub": {
        "@id": "#ChameleonJupyterLab",
        "name": "Chameleon JupyterLab",
        "url": "https://jupyter.chameleoncloud.org/",
    }
}
"""Where Trovi can launch an artifact, by its own word for it."""


def _line(most: int, pattern: str = r"^[^\n]+$") -> Any:
    """A text of one line, with at most so many characters."""
    return StringConstraints(strip_whitespace=True, min_length=1, max_length=most, pattern=pattern)


class _Facts(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Author(_Facts):
    """A person who is named on the portal, with an address that answers."""

    name: Annotated[str, _line(AUTHOR_CHARACTERS)]
    email: Annotated[str, _line(EMAIL_CHARACTERS, r"^[^@\s,;<>]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$")]
    affiliation: Annotated[str, _line(AUTHOR_CHARACTERS)] | None = None


class Facts(_Facts):
    """docs/artifact.yaml. In the long description, `$hours` and `$stages` are filled in from the snippets."""

    title: Annotated[str, _line(TITLE_CHARACTERS)]
    short_description: Annotated[str, _line(SHORT_DESCRIPTION_CHARACTERS)]
    long_description: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
    tags: list[Annotated[str, _line(TAG_CHARACTERS, r"^[^,\n]+$")]] = Field(min_length=1)
    authors: list[Author]
    environment: Literal["jupyterhub"]
    archive: Annotated[str, _line(100, r"^[a-z0-9][a-z0-9-]*$")]
    begin: Annotated[str, _line(200, r"^[^\n/][^\n]*$")]


def read_facts(root: Path) -> Facts | None:
    """What docs/artifact.yaml of the lab at `root` says; None when there is no such file.

    Raises:
        SnippetError: it says what the portal would refuse.
    """
    file = root / FACTS
    if not file.exists():
        return None
    with in_file(FACTS):
        try:
            return Facts.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
        except yaml.YAMLError as error:
            raise SnippetError(f"expected YAML: {error}") from error
        except ValidationError as error:
            reasons = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
            raise SnippetError("; ".join(reasons)) from error


def crate_text(facts: Facts, snippets: Sequence[Snippet]) -> str:
    """The text of trovi.json. It holds no date, so it changes only with the facts and the stages.

    Raises:
        SnippetError: the long description cannot be filled in, or becomes too long.
    """
    with in_file(FACTS):
        graph = [_descriptor(), *_entities(facts, _long_description(facts, snippets))]
    crate = {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": graph}
    return json.dumps(crate, indent=2, ensure_ascii=False) + "\n"


def _descriptor() -> dict[str, object]:
    return {
        "@id": CRATE,
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
        "description": f"Made from {FACTS} and snippets/ by ./build_docs.sh: edit those.",
    }


def _entities(facts: Facts, long_description: str) -> list[dict[str, object]]:
    """The lab, its authors and its environment. Authors and environments must be lists: Trovi goes through them."""
    authors: list[dict[str, object]] = [
        {"@id": f"#author_{number}", "@type": "Person", **author.model_dump(exclude_none=True)}
        for number, author in enumerate(facts.authors)
    ]
    environment: dict[str, object] = {
        **ENVIRONMENTS[facts.environment],
        "@type": "SoftwareApplication",
        "trovi_type": facts.environment,
        "trovi_arguments": "{}",
    }
    lab: dict[str, object] = {
        "@id": "./",
        "@type": "Dataset",
        "name": facts.title,
        "disambiguatingDescription": facts.short_description,
        "description": long_description,
        "keywords": ",".join(facts.tags),
        "author": [{"@id": author["@id"]} for author in authors],
        "actionApplication": [{"@id": environment["@id"]}],
    }
    return [lab, *authors, environment]


def _long_description(facts: Facts, snippets: Sequence[Snippet]) -> str:
    stages = "\n".join(f"- {snippet.title}{_duration(snippet)}" for snippet in snippets)
    hours = round(sum(snippet.minutes for snippet in snippets) / 60)
    try:
        text = Template(facts.long_description).substitute(stages=stages, hours=hours)
    except (KeyError, ValueError) as error:
        raise SnippetError(f"long_description: expected $stages, $hours and no other $, got {error}") from error
    if len(text) > LONG_DESCRIPTION_CHARACTERS:
        raise SnippetError(
            f"long_description: expected at most {LONG_DESCRIPTION_CHARACTERS} characters with all stages filled in, "
            f"got {len(text)}"
        )
    return text


def _duration(snippet: Snippet) -> str:
    return f" ({snippet.minutes} minutes)" if snippet.minutes else ""
