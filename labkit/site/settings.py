"""The reference of settings, made from the typed classes that read them."""

import importlib
import inspect
from collections.abc import Iterable
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

PAGE = """# Settings

Each program reads its settings from environment variables, through one class that knows their types. What is wrong or
missing stops it at its start, with the name of the variable. `docker/docker-compose.yaml` says what each service is
told. Passwords have no default: they are made on your machine, and live in `docker/.env`.

{sections}
"""

HEAD = "| Variable | Type | Default | What it is |\n| --- | --- | --- | --- |"


def page(classes: Iterable[str]) -> str:
    """The page, as Markdown, for classes that are named `module:Class`."""
    return PAGE.format(sections="\n\n".join(_section(_load(name)) for name in classes))


def _load(name: str) -> type[BaseSettings]:
    module, _, attribute = name.partition(":")
    found = getattr(importlib.import_module(module), attribute)
    if not (inspect.isclass(found) and issubclass(found, BaseSettings)):
        raise TypeError(f"expected a class of settings at {name}, got {found!r}")
    return found


def _section(settings: type[BaseSettings]) -> str:
    rows = "\n".join(_row(name, field) for name, field in settings.model_fields.items())
    about = (inspect.getdoc(settings) or "").split("\n\n")[0].replace("\n", " ")
    return f"## {settings.__name__}\n\n{about} (`{settings.__module__}`)\n\n{HEAD}\n{rows}"


def _row(name: str, field: FieldInfo) -> str:
    if not field.description:
        raise ValueError(f"the setting {name} has no description")
    cells = (f"`{name.upper()}`", f"`{_type(field.annotation)}`", _default(field), field.description)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _type(annotation: Any) -> str:
    if isinstance(annotation, type) and not getattr(annotation, "__args__", ()):
        return annotation.__name__
    return str(annotation).replace("typing.", "")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "none: must be set"
    if field.default is PydanticUndefined:
        return "computed"
    return f"`{field.default!r}`" if field.default != "" else "empty"
