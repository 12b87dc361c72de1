"""Notebook 1 opens the ports that browsers need, and no other."""

import ast
import re

import yaml

from labkit.book.snippets import Cell, read
from labkit.paths import ROOT
from labkit.stack.machine import NOTEBOOK_PORT

SSH = 22


def opened() -> set[int]:
    """The keys of PORTS in the snippet."""
    snippet = read(ROOT / "snippets/1_create_server.md")
    trees = [ast.parse(part.source) for part in snippet.parts if isinstance(part, Cell)]
    assigned = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Assign)]
    (ports,) = (node.value for node in assigned if ast.unparse(node.targets[0]) == "PORTS")
    return set(ast.literal_eval(ports))


def test_they_are_those_of_the_compose_file() -> None:
    services = yaml.safe_load((ROOT / "docker/docker-compose.yaml").read_text())["services"]
    published = [port for service in services.values() for port in service.get("ports", []) if "LAB_BIND" in port]
    browsers = {int(number) for port in published for number in re.findall(r"_PORT:-(\d+)\}:", port)}
    assert opened() == browsers | {SSH, NOTEBOOK_PORT}
