"""`python -m gourmetgram.lakehouse COMMAND`: the history without Airflow, and what people want to know of it."""

import argparse
import sys
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from pyiceberg.exceptions import CommitFailedException

from gourmetgram.core.broker import BrokerUnavailable
from gourmetgram.core.logs import set_up_logging
from gourmetgram.lakehouse import commands
from gourmetgram.lakehouse.lineage import KINDS, Unknown
from gourmetgram.lakehouse.offsets import HistoryError
from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.lakehouse.training_data.data_contract import ContractBroken
from gourmetgram.lakehouse.verify import PipelineUnsound


class Command(NamedTuple):
    """What a word of the command line does, and the arguments that it takes; `chatty` ones log what they do."""

    run: Callable[[LakehouseSettings, argparse.Namespace], None]
    arguments: tuple[tuple[str, dict[str, Any]], ...] = ()
    chatty: bool = False


IMAGE: Final = ("image", {"type": int, "help": "id of the image"})
PATHS: Final = ("--paths", {"action": "store_true", "help": "each file by its path"})
SVG: Final = ("--svg", {"action": "store_true", "help": "as a picture"})
MERMAID: Final = ("--mermaid", {"action": "store_true", "help": "as a Mermaid diagram"})

COMMANDS: Final = {
    "run": Command(commands.run, chatty=True),
    "status": Command(commands.status),
    "accept-loss": Command(commands.accept_loss, chatty=True),
    "training-data": Command(commands.training_data, chatty=True),
    "parity": Command(commands.compare),
    "verify-pipeline": Command(commands.verify_pipeline),
    "lineage": Command(commands.trace, (("kind", {"choices": KINDS}), ("identity", {"help": "its id"}), SVG, MERMAID)),
    "find-image": Command(commands.find_image, (IMAGE, PATHS)),
}


def main() -> None:
    """Do what the command line says; what goes wrong is said in a paragraph, and the exit status is 1."""
    arguments = _parsed()
    command: Command = arguments.command
    if command.chatty:
        set_up_logging()
    try:
        command.run(LakehouseSettings(), arguments)
    except (HistoryError, BrokerUnavailable, ContractBroken, PipelineUnsound, Unknown) as error:
        sys.exit(str(error))
    except CommitFailedException as error:
        sys.exit(f"somebody else has written meanwhile; look at `status`, and try again ({error})")


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="lakehouse", description=__doc__)
    words = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        word = words.add_parser(name, help=command.run.__doc__, description=command.run.__doc__)
        word.set_defaults(command=command)
        for flag, how in command.arguments:
            word.add_argument(flag, **how)
    return parser.parse_args()


if __name__ == "__main__":
    main()
