"""Where a decision comes from: the request it answers, and the rules or the model that answered."""

import json
from typing import Any, Final
from uuid import UUID

from gourmetgram.lakehouse.lineage import models
from gourmetgram.lakehouse.lineage.chain import Chain, Edge, Node
from gourmetgram.lakehouse.lineage.lake import Lake, Unknown
from gourmetgram.lakehouse.lineage.training import Part

COLUMNS: Final = """
SELECT id, inference_request_id::text AS request, image_id, inference_mode, model_version, policy_version, risk_score,
       recommendation, served, trigger_type, as_of, partition, offsets::text AS offsets, created_at, is_image_deleted
FROM raw.decisions
"""

SEEN: Final = "SELECT count(*) AS decisions, min(id) AS first, max(id) AS last FROM raw.decisions"


def chain(lake: Lake, identity: str) -> Chain:
    """The chain of a decision, by its number or its request's id.

    Raises:
        Unknown: there is none.
    """
    one, others = _decision(lake, identity)
    nodes = (Node("decision", "decision", f"Decision {one['id']}", _facts(one, others)), _request(one))
    part = Part(nodes, (Edge("decision", "request", "answers"),))
    return Chain(f"Where decision {one['id']} comes from", *part.plus(_decided_by(lake, one)))


def _decision(lake: Lake, identity: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The decision, and others that answer the same request."""
    found = _asked(lake, identity)
    if not found:
        (there,) = lake.ask(SEEN)
        span = f"there are {there['decisions']} about images, from {there['first']} to {there['last']}"
        raise Unknown(f"there is no decision {identity}; " + (span if there["decisions"] else "there is none at all"))
    one = found[0]
    rest = lake.ask(
        f"{COLUMNS} WHERE inference_request_id = $1::uuid AND id <> $2 ORDER BY id", one["request"], one["id"]
    )
    return one, rest


def _asked(lake: Lake, identity: str) -> list[dict[str, Any]]:
    if identity.isdecimal():
        return lake.ask(f"{COLUMNS} WHERE id = $1", int(identity))
    try:
        request = UUID(identity)
    except ValueError:
        raise Unknown(
            f"a decision has a number, and its request an id such as 0192f0c1-…; {identity} is neither"
        ) from None
    return lake.ask(f"{COLUMNS} WHERE inference_request_id = $1::uuid ORDER BY served DESC, id", str(request))


def _facts(one: dict[str, Any], others: list[dict[str, Any]]) -> tuple[str, ...]:
    facts = [
        f"image {one['image_id']}" + (", deleted since" if one["is_image_deleted"] else ""),
        f"risk {one['risk_score']:.3g}: {one['recommendation']}" + ("" if one["served"] else ", a shadow: not served"),
        f"made {one['created_at']:%Y-%m-%d %H:%M:%S} UTC",
    ]
    for other in others:
        facts.append(f"decision {other['id']} answers the same request, by {told_by(other)}")
    return tuple(facts)


def told_by(one: dict[str, Any]) -> str:
    """Who decided."""
    if one["inference_mode"] == "model":
        return f"model {one['model_version']}"
    return f"the rules, policy {one['policy_version']}"


def _request(one: dict[str, Any]) -> Node:
    facts = [f"id {one['request']}", f"asked because of: {one['trigger_type']}", f"as of {one['as_of'].isoformat()}"]
    if one["offsets"]:
        read = ", ".join(f"{topic.rpartition('.')[2]} {end}" for topic, end in json.loads(one["offsets"]).items())
        facts.append(f"counted before these offsets of partition {one['partition']}: {read}")
    else:
        facts.append("nobody has written down which records had been counted")
    return Node("request", "data", "Request with frozen counts", tuple(facts))


def _decided_by(lake: Lake, one: dict[str, Any]) -> Part:
    if one["inference_mode"] == "model":
        part = models.part(lake, one["model_version"], one["image_id"])
        return part.plus(Part((), (Edge("decision", models.KEY, "made by"),)))
    facts = ("people wrote these rules: nothing was learned from data, so the chain ends here",)
    policy = Node("policy", "model", f"Rules, policy {one['policy_version']}", facts)
    return Part((policy,), (Edge("decision", "policy", "made by"),))
