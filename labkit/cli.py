"""The commands of `./lab`."""

import importlib
import os
import sys
import time
from typing import Annotated

import typer
from rich.console import Console

from labkit.commands.options import Place
from labkit.paths import NOTEBOOKS, ROOT
from labkit.stack import Stack, StackError, machine

app = typer.Typer(
    help="Start the lab's platform, run its notebooks, test it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
errors = Console(stderr=True, highlight=False, soft_wrap=True)

COMMANDS = (
    "run",
    "test",
    "bench",
    "check_notebooks",
    "build_docs",
    "new_stage",
    "package",
    "progress",
    "doctor",
    "versions",
    "place",
    "fetch",
    "pack",
    "save",
    "restore",
)
"""Commands with a module of their own in labkit/commands/, each with a function `command`."""

FOLLOWED_LINES = 1000
"""More than a service writes between two looks at its log."""

Services = Annotated[list[str] | None, typer.Argument(help="services; all when none is named", show_default=False)]


@app.command()
def up(services: Services = None, place: Place = None) -> None:
    """Start services and what they need, and wait until they are ready."""
    stack = Stack(place=place)
    print(f"$ {stack.command('up', '--detach', '--wait', services=tuple(services or ()))}")
    for one in stack.up(*(services or ())):
        print(one)


@app.command()
def stop(services: Annotated[list[str], typer.Argument()], place: Place = None) -> None:
    """Stop services; their data stays."""
    stack = Stack(place=place)
    print(f"$ {stack.command('stop', services=tuple(services))}")
    stack.stop(*services)


@app.command()
def down(place: Place = None) -> None:
    """Stop everything; the data stays."""
    Stack(place=place).down()


@app.command()
def reset(place: Place = None, yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False) -> None:
    """Stop everything and delete the data."""
    stack = Stack(place=place)
    where = stack.home if stack.place == "embedded" else "the Docker volumes of this lab"
    if not yes:
        typer.confirm(f"Delete all users, posts, photos and events in {where}?", abort=True)
    stack.destroy()


@app.command()
def ps(place: Place = None) -> None:
    """List the services that were started."""
    for one in Stack(place=place).ps():
        print(f"{one.name:20} {one.state:9} {one.detail}")


@app.command()
def logs(
    service: str,
    lines: Annotated[int, typer.Option("-n", help="how many lines")] = 40,
    follow: Annotated[bool, typer.Option("-f", help="go on until Ctrl-C")] = False,
    place: Place = None,
) -> None:
    """Show what a service wrote last."""
    stack = Stack(place=place)
    shown = stack.logs(service, FOLLOWED_LINES).splitlines()
    print("\n".join(shown[-lines:]), flush=True)
    while follow:
        time.sleep(0.5)
        now = stack.logs(service, FOLLOWED_LINES).splitlines()
        for line in new_lines(shown, now):
            print(line, flush=True)
        shown = now


def new_lines(before: list[str], now: list[str]) -> list[str]:
    """What came since, when both are the last lines of a growing log; all of `now` when nothing of before is left."""
    for gone in range(len(before) + 1):
        if before[gone:] == now[: len(before) - gone]:
            return now[len(before) - gone :]
    return now


@app.command()
def links(
    place: Place = None, logins: Annotated[bool, typer.Option("--logins", help="with users and passwords")] = False
) -> None:
    """List the pages that can be opened in a browser."""
    os.environ["LAB_PLACE"] = place or machine.place()
    from labkit import lab

    lab.links(logins=logins)


@app.command()
def notebook(place: Place = None) -> None:
    """Open the notebooks in Jupyter: on this machine only, but for the place chameleon."""
    stack = Stack(place=place)
    port = machine.NOTEBOOK_PORT + stack.port_offset
    environment = os.environ | {"LAB_PLACE": stack.place}
    argv = [sys.executable, "-m", "jupyterlab", f"--port={port}", f"--notebook-dir={NOTEBOOKS}"]
    if stack.place == "chameleon":  # the token is not in the command line, which others on the machine could read
        environment["JUPYTER_TOKEN"] = stack.setting("NOTEBOOK_TOKEN")
        argv += [f"--ip={machine.EVERYWHERE}", "--no-browser", "--ServerApp.port_retries=0"]
        print(f"Jupyter is at http://{machine.public_host()}:{port}, its token is NOTEBOOK_TOKEN in docker/.env.")
    else:
        argv += [f"--ip={machine.LOCAL}"] + ["--no-browser"] * (not sys.stdout.isatty())
        print("Jupyter prints the address below, with the token that lets you in. Ctrl-C twice ends it.")
    sys.stdout.flush()
    os.execve(sys.executable, argv, environment)  # noqa: S606 - Jupyter takes over this process


def _add_commands() -> None:
    for name in COMMANDS:
        module = importlib.import_module(f"labkit.commands.{name}")
        app.command(name.replace("_", "-"))(module.command)


def _run_tool(arguments: list[str]) -> bool:
    """Run a one-shot service of profile `tools` under its own name; False when there is none of this name."""
    if not arguments or arguments[0] not in Stack().file.tools():
        return False
    print(Stack().run(arguments[0], *arguments[1:]), end="")
    return True


def main() -> None:
    """Run a command; what goes wrong is said in a paragraph, and in full when LAB_DEBUG is set."""
    _add_commands()
    os.chdir(ROOT)
    try:
        if not _run_tool(sys.argv[1:]):
            app()
    except StackError as error:
        if os.environ.get("LAB_DEBUG"):
            raise
        errors.print(f"[bold red]lab:[/] {str(error).replace('[', chr(92) + '[')}")
        sys.exit(1)
