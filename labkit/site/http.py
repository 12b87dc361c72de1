"""The reference of HTTP calls, made from the application's own description (OpenAPI)."""

import importlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

PAGE = """# HTTP calls

Made from what the application says of itself; the same, to try it out, is the page `/docs` of the running API. A call
that needs a token takes it as `Authorization: Bearer …`; one that takes a key can be repeated without harm under the
same `Idempotency-Key`.

| Call | What it does | Token | Key | Answers |
| --- | --- | --- | --- | --- |
{calls}

## What the answers mean

| Status | Meaning |
| --- | --- |
{statuses}
"""

_GOOD = "Successful Response"
"""What FastAPI calls an answer that nobody has described."""


def page(application: str, environment: Mapping[str, str]) -> str:
    """The page, as Markdown.

    Args:
        application: the function that makes it, `module:function`; nothing is connected to.
        environment: settings without which it cannot be made.
    """
    with _set(environment):
        module, _, function = application.partition(":")
        described = getattr(importlib.import_module(module), function)().openapi()
    calls = [(path, method, call) for path, methods in described["paths"].items() for method, call in methods.items()]
    meanings = {
        status: answer["description"]
        for _, _, call in calls
        for status, answer in call["responses"].items()
        if answer["description"] != _GOOD
    }
    statuses = "\n".join(f"| {status} | {meaning} |" for status, meaning in sorted(meanings.items()))
    return PAGE.format(calls="\n".join(_row(*call) for call in calls), statuses=statuses)


def _row(path: str, method: str, call: Mapping[str, Any]) -> str:
    told = " ".join((call.get("description") or call["summary"]).split("\n\n")[0].split())
    takes_key = any(one["name"] == "Idempotency-Key" for one in call.get("parameters", []))
    cells = (
        f"`{method.upper()} {path}`",
        told.replace("|", "\\|"),
        "yes" if call.get("security") else "no",
        "yes" if takes_key else "no",
        ", ".join(sorted(call["responses"])),
    )
    return f"| {' | '.join(cells)} |"


@contextmanager
def _set(environment: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
