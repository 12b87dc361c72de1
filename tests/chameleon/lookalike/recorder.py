"""Stands for a command that would change a machine: writes down how it was called, and succeeds.

Runs alone, by a Python without site-packages. `sudo` goes on with what it is asked to run where that is a recorder or a
shell; everything else that somebody wants to do as root is only written down. `sg` runs its command in a shell. Where a
test has put a program of the same name into LOOKALIKE_ANSWERS, that runs then: it may fail, or say something.
"""

import json
import os
import sys
from pathlib import Path

NAME, ARGUMENTS = Path(sys.argv[0]).name, sys.argv[1:]
RECORDERS = Path(sys.argv[0]).resolve().parent
ANSWER = Path(os.environ["LOOKALIKE_ANSWERS"]) / NAME
SHELLS = ("bash", "sh", "env")
TAKE_A_VALUE = ("-u", "-g", "--user", "--group")
INPUT_BYTES = 10_000


def record(stdin: str) -> None:
    """One line, in one write, so that lines never mix."""
    line = json.dumps({"node": os.environ["LOOKALIKE_NODE"], "argv": [NAME, *ARGUMENTS], "stdin": stdin})
    with Path(os.environ["LOOKALIKE_COMMANDS"]).open("a") as log:
        log.write(line + "\n")


def after_options(arguments: list[str]) -> list[str]:
    """What sudo is to run: without its options and the variables it sets."""
    rest = list(arguments)
    while rest and (rest[0].startswith("-") or "=" in rest[0]):
        del rest[: 2 if rest[0] in TAKE_A_VALUE else 1]
    return rest


def shell_command(arguments: list[str]) -> list[str]:
    """What `sg GROUP -c COMMAND` runs; the -c may be missing."""
    rest = [one for one in arguments[1:] if one != "-c"]
    return ["bash", "-c", rest[0]] if rest else []


def goes_on_with() -> list[str]:
    """The command to run after this one was written down, if any."""
    if ANSWER.exists():
        return [str(ANSWER), *ARGUMENTS]
    if NAME == "sg":
        return shell_command(ARGUMENTS)
    rest = after_options(ARGUMENTS) if NAME == "sudo" else []
    return rest if rest and (rest[0] in SHELLS or (RECORDERS / rest[0]).exists()) else []


def main() -> None:
    """Write down, and do what little is to be done."""
    writes = NAME == "sudo" and after_options(ARGUMENTS)[:1] == ["tee"]
    stdin = sys.stdin.read(INPUT_BYTES) if writes else ""
    record(stdin)
    print("cc\n" if NAME == "whoami" else stdin, end="", flush=True)
    if NAME in ("apt-get", "apt") and "install" in ARGUMENTS and any("docker" in one for one in ARGUMENTS):
        (RECORDERS / "docker").unlink(missing_ok=True)
        (RECORDERS / "docker").symlink_to("sudo")
    if rest := goes_on_with():
        os.execvp(rest[0], rest)


main()
