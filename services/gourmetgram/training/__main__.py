"""`python -m gourmetgram.training COMMAND`: train models, deploy them, and say who decides."""

import argparse
import getpass
import sys

from gourmetgram.core.moderation import MODES
from gourmetgram.training import commands
from gourmetgram.training.errors import ModelRefused, TrainingError
from gourmetgram.training.settings import TrainingSettings


def main() -> None:
    """Do what the command line says; what goes wrong is said in a sentence, and the exit status is 1."""
    said = _parser().parse_args()
    try:
        said.command(TrainingSettings(), said)
    except (TrainingError, ModelRefused) as error:
        sys.exit(str(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="training", description=__doc__)
    words = parser.add_subparsers(required=True, metavar="COMMAND")

    def word(name: str, command: commands.Command) -> argparse.ArgumentParser:
        added = words.add_parser(name, help=command.__doc__, description=command.__doc__)
        added.set_defaults(command=command)
        return added

    train = word("train", commands.train)
    train.add_argument("--snapshot", type=int, help="id of a snapshot of the training data; else the present one")
    train.add_argument("--version", help="name of the new model; else the time")
    deploy = word("deploy", commands.deploy)
    deploy.add_argument("version", help="name of the model")
    deploy.add_argument("--anyway", action="store_true", help="also if it is worse than the present one")
    word("roll-back", commands.roll_back)
    mode = word("mode", commands.mode)
    mode.add_argument("mode", choices=MODES)
    mode.add_argument("--by", default=getpass.getuser(), help="who says so; else the user of this machine")
    return parser


if __name__ == "__main__":
    main()
