"""What the lab's text says of addresses, pages, users and commands is what the platform's description says."""

import ast
import re
from collections.abc import Iterator

import pytest

from labkit.cli import COMMANDS, app
from labkit.paths import ENV_TEMPLATE, ROOT
from labkit.stack import machine
from labkit.stack.compose_file import ComposeFile
from tests.support import guide

FILE = ComposeFile(ROOT / "docker/docker-compose.yaml")
API_PAGES = {"", "/docs"}
"""What the API shows beside its pages for people."""

TEXTS = [
    *guide.stages().items(),
    *((path.name, path.read_text()) for path in (ROOT / "README.md", *ROOT.glob("docs/*.md"))),
]
HOST_COMMAND = re.compile(r"(?<![\w/])\./lab ([a-z][\w-]*)")
SERVICES = re.compile(r"""lab\.(?:up|stop)\(((?:\s*["'][\w-]+["'],?)+)""")
SERVICE = re.compile(r"""lab\.(?:kill|run|logs)\(\s*(["'][\w-]+["'])""")


def paths_at(port: str) -> set[str]:
    """The paths that may follow the address of a port, by its NAME."""
    return {page.path for page in FILE.pages() if page.port.upper() == port} | (API_PAGES if port == "API" else set())


def test_each_address_is_that_of_a_page() -> None:
    names = {number: name for name, number in FILE.ports.items()}
    found = {one for one in guide.addresses() if one.port != machine.NOTEBOOK_PORT}
    assert len(found) >= 6
    for one in found:
        assert one.path in paths_at(names.get(one.port, "nothing")), one


def test_each_link_is_that_of_a_page() -> None:
    found = set(guide.links())
    assert {one.port for one in found} == {page.port for page in FILE.pages() if page.port != "jupyter"}
    for one in found:
        assert one.path in paths_at(one.port.upper()), one


def test_each_setting_that_a_reader_is_given_is_generated() -> None:
    there = set(re.findall(r"^(\w+)=", ENV_TEMPLATE.read_text(), re.M))
    assert {one.name for one in guide.settings()} <= there


def logins() -> Iterator[tuple[str, str, dict[str, str]]]:
    """Stage, page and login of each page whose users and passwords a cell prints behind its link."""
    for stage, text in guide.stages().items():
        for cell in guide.cells(text):
            pages: list[str] = []
            login: dict[str, str] = {}
            for line in [*cell.splitlines(), "lab.link('')"]:
                linked = re.search(r"""lab\.link\(["'](\w*)["']""", line)
                if linked and login:
                    yield from ((stage, page, login) for page in pages)
                    pages, login = [], {}
                if linked:
                    pages.append(linked[1])
                elif pages and (
                    said := re.search(r"""print\("  (\w+).*?", +(?:"(\w+)"|lab\.setting\("(\w+)"\))""", line)
                ):
                    what = {"access": "user", "secret": "password"}.get(said[1], said[1])
                    login[what] = said[2] or f"${{{said[3]}}}"


def test_a_cell_that_prints_a_login_prints_that_of_the_page() -> None:
    nothing_filled_in = {name: f"${{{name}}}" for name in re.findall(r"^(\w+)=", ENV_TEMPLATE.read_text(), re.M)}
    by_port = {page.port: FILE.login(page.service, nothing_filled_in) for page in FILE.pages()}
    found = list(logins())
    assert {page for _, page, _ in found} >= {"adminer", "minio_console", "console", "redisinsight"}
    for stage, page, login in found:
        assert login == by_port[page] or not by_port[page], (stage, page)


@pytest.mark.parametrize(("name", "text"), TEXTS)
def test_each_command_of_the_lab_exists(name: str, text: str) -> None:
    own = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    there = own | {command.replace("_", "-") for command in COMMANDS} | set(FILE.tools())
    assert set(HOST_COMMAND.findall(text)) <= there


@pytest.mark.parametrize(("name", "text"), TEXTS)
def test_each_service_that_is_started_or_stopped_exists(name: str, text: str) -> None:
    named = {
        service
        for found in [*SERVICES.findall(text), *SERVICE.findall(text)]
        for service in re.findall(r"[\w-]+", found)
    }
    assert named <= set(FILE.names)


def calls_in_page_tests(method: str) -> Iterator[list[str]]:
    """The texts that tests with a browser give to `passage`, `says` or `label` of `guide`, from each call."""
    for path in (*(ROOT / "tests/compose").glob("*.py"), *(ROOT / "tests/integration").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method:
                yield [str(word.value) for word in node.args if isinstance(word, ast.Constant)]


def test_the_text_says_what_tests_with_a_browser_look_for() -> None:
    """They look for it on the platform, much later: who rewords a click path is told here."""
    passages, words, labels = (list(calls_in_page_tests(method)) for method in ("passage", "says", "label"))
    assert len(passages) >= 8
    assert len(words) + len(labels) >= 18
    for stage, start, *_ in passages:
        assert guide.passage(stage, start)
    text = " ".join(" ".join(guide.stages().values()).split())
    for (said,) in filter(None, words):
        assert said in text
    for (label,) in filter(None, labels):
        assert f"**{label}**" in text
