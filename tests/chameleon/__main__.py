"""Runs notebooks against the look-alike by hand; see README.md."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

import nbformat

from tests.chameleon.lookalike.scenarios import SCENARIOS
from tests.chameleon.place import run_notebooks
from tests.chameleon.results import Result


def main() -> None:
    """Run them, tell what became of each, and write everything down."""
    names = "\n".join(f"  {name:24}{set_up.__doc__}" for name, set_up in SCENARIOS.items())
    parser = argparse.ArgumentParser(
        prog="python -m tests.chameleon",
        description="Runs notebooks against the look-alike of Chameleon.",
        epilog=f"scenarios, which + joins:\n{names}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("notebooks", nargs="+", type=Path)
    parser.add_argument("--scenario", default="nothing", help="see below")
    parser.add_argument("--out", type=Path, default=Path("build/chameleon"), help="folder for what came out of it")
    arguments = parser.parse_args()
    result = run_notebooks(arguments.notebooks, arguments.scenario)
    _write(result, arguments.out)
    for one in result.notebooks:
        print(f"{one.name}: {'failed' if one.error else 'passed'} after {sum(one.seconds):.0f} s")
        print(one.traceback or one.error)
    print(f"by project, at the end:\n{json.dumps(result.cloud['by_project'], indent=2)}\nall of it: {arguments.out}")
    sys.exit(any(one.error for one in result.notebooks))


def _write(result: Result, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for one in result.notebooks:
        nbformat.write(one.notebook, folder / f"{one.name}.ipynb")
    for name, value in asdict(result).items():
        if name != "notebooks":
            (folder / f"{name}.json").write_text(json.dumps(value, indent=2))


if __name__ == "__main__":
    main()
