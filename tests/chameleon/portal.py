"""Runs of notebooks 1 and 9, and what is asked about them."""

import json
from pathlib import Path

from tests.chameleon.place import Place
from tests.chameleon.results import Executed
from tests.chameleon.student import Student

MINE = ("lease-data-student", "node-data-student")
EVERYTHING = {"leases": [MINE[0]], "servers": [MINE[1]], "floating_ips": [MINE[1]]}
NOTHING: dict[str, list[str]] = {"leases": [], "servers": [], "floating_ips": []}
PORTS = {22, 3000, 5050, 8000, 8080, 8081, 8090, 8888, 8889, 9001}
SOFTWARE = "## The lab, on the server"
"""The heading in notebook 1 from which on it is no longer about the cloud."""

DOCKER_COMES = "And what all of it runs on."
"""Where the lab is on the server, and nothing else yet."""


def create(place: Place, me: Student, patience: int = 20) -> Executed:
    """All of notebook 1."""
    return place.run(me.create, {"patience": patience}, me.notebooks)


def create_server_only(place: Place, me: Student, patience: int = 20) -> Executed:
    """Notebook 1 without what happens on the server."""
    return place.run(without(me, SOFTWARE), {"patience": patience}, me.notebooks)


def delete(place: Place, me: Student, **parameters: object) -> Executed:
    """Notebook 9."""
    return place.run(me.delete, parameters, me.notebooks)


def own(place: Place) -> dict[str, list[str]]:
    """What of the student's is there: leases and servers by name, floating IPs by their description."""
    cloud = place.cloud()
    kinds = {"leases": "name", "servers": "name", "floating_ips": "description"}
    return {kind: [one[by] for one in cloud[kind] if one[by] in MINE] for kind, by in kinds.items()}


def opened(place: Place) -> set[int]:
    """The TCP ports that the security groups of the student's server let in."""
    cloud = place.cloud()
    server = next(one for one in cloud["servers"] if one["name"] == MINE[1])
    port = next(one for one in cloud["ports"] if one["id"] == server["port"])
    rules = [rule for group in cloud["groups"] if group["id"] in port["groups"] for rule in group["rules"]]
    single = (rule for rule in rules if rule["direction"] == "ingress" and rule["first"] == rule["last"])
    return {rule["first"] for rule in single} - {None}


def without(me: Student, begin: str, end: str = "", written: tuple[str, str] = ("", "")) -> Path:
    """Notebook 1 without the cells from the one with the text `begin` on, up to one with the text `end`.

    What a student has `written` into a cell, in place of what was there, is the second of the two texts.
    """
    book = json.loads(me.create.read_text())
    texts = ["".join(cell["source"]) for cell in book["cells"]]
    first = next(number for number, text in enumerate(texts) if begin in text)
    after = next(number for number, text in enumerate(texts) if end in text) if end else len(texts)
    del book["cells"][first:after]
    shortened = me.notebooks / "1_shortened.ipynb"
    shortened.write_text(json.dumps(book).replace(*written))
    return shortened
