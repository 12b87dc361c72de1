"""Options that several commands have."""

from typing import Annotated

import typer

Place = Annotated[str | None, typer.Option(help="embedded, compose or chameleon; else what this machine is")]
