"""The sign of life of live traffic: a small file in the state folder, rewritten every few seconds."""

import json
from datetime import UTC, datetime
from pathlib import Path

HEARTBEAT = "heartbeat.json"
STALE_SECONDS = 20.0


def beat(path: Path, *, api: bool, ready: bool) -> None:
    """Say that this process lives, whether the API answers, and whether the initial people and images are there."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps({"at": datetime.now(UTC).isoformat(), "api": api, "ready": ready}))
    draft.replace(path)


def unhealthy_because(state: Path, now: datetime) -> str | None:
    """Why live traffic does not flow, or None when it does."""
    try:
        told = json.loads((state / HEARTBEAT).read_text())
    except FileNotFoundError:
        return "the generator has not started"
    age = (now - datetime.fromisoformat(told["at"])).total_seconds()
    if age > STALE_SECONDS:
        return f"the generator gave its last sign of life {age:.0f} s ago"
    if not told["api"]:
        return "the API does not answer the generator"
    return None if told["ready"] else "the initial people and images are not all there yet"
