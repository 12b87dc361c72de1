"""Chameleon's portal, Trovi, as far as its public sources tell: how it reads trovi.json, and what it then refuses."""

import re
from pathlib import Path
from typing import Any

import pytest
from rocrate.model.metadata import Metadata
from rocrate.rocrate import ROCrate

TAGS = {"appliance", "education", "example", "experiment", "experiment pattern", "reproducible research", "storage"}
"""Tags that Chameleon's own artifacts and documentation use. The portal has more: its server knows them."""

ENVIRONMENTS = {"jupyterhub", "isolated_jupyter", "source_code", "image", "heat_template"}
MOST = {"title": 140, "short_description": 200, "long_description": 5000}
REQUIRED = {"title", "short_description"}

Artifact = dict[str, Any]


def imported(folder: Path) -> Artifact:
    """What the portal takes from the crate in this folder: trovi/importing/views.py, without the call to GitHub."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Metadata, "BASENAME", "trovi.json")
        root = ROCrate(str(folder)).dereference("./")
    return {
        "title": root.get("name"),
        "short_description": root.get("disambiguatingDescription"),
        "long_description": root.get("description"),
        "tags": [tag.strip() for tag in root.get("keywords").split(",")],
        "authors": [
            {"full_name": one.get("name"), "email": one.get("email"), "affiliation": one.get("affiliation")}
            for one in root.get("author")
        ],
        "environment_setup": [
            {"type": one.get("trovi_type"), "arguments": one.get("trovi_arguments")}
            for one in root.get("actionApplication", [])
            if one.type == "SoftwareApplication" and one.get("trovi_type")
        ],
    }


def refusals(artifact: Artifact) -> list[str]:
    """What the portal's serializers and models would say to it."""
    wrong = [f"{name} is required" for name in REQUIRED if not (artifact[name] or "").strip()]
    wrong += [f"{name} is too long" for name, most in MOST.items() if len(artifact[name] or "") > most]
    wrong += [f"unknown tag {tag!r}" for tag in artifact["tags"] if tag.lower() not in TAGS]
    wrong += [f"unknown environment {one['type']}" for one in _environments(artifact)]
    if len(artifact["environment_setup"]) != 1:
        wrong.append("a version has one environment")
    return [*wrong, *(said for author in artifact["authors"] for said in _author(author))]


def _environments(artifact: Artifact) -> list[dict[str, str]]:
    return [one for one in artifact["environment_setup"] if one["type"] not in ENVIRONMENTS or not one["arguments"]]


def _author(author: dict[str, str | None]) -> list[str]:
    wrong = []
    if not (author["full_name"] or "").strip():
        wrong.append("an author has no name")
    if not re.fullmatch(r"\S+@(\w[\w-]*\.)+[A-Za-z]{2,}", author["email"] or ""):
        wrong.append(f"{author['email']} is no e-mail address")
    wrong += [f"{name} is too long" for name, value in author.items() if len(value or "") > 200]
    return wrong
