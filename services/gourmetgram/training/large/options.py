"""Which ways there are, and what can be turned on them: all that is to be known of them without their libraries."""

import argparse
from typing import Final

WAYS: Final = {
    "whole": "all of it into a pandas data frame, and then a logistic regression",
    "stream": "our reader: a batch of rows at a time",
    "library": "the reader that comes with PyIceberg, which promises batches as well",
}


class Options(argparse.Namespace):
    """What can be turned on a way."""

    way: str
    batch_rows: int
    prefetch: bool
    columns: int | None
    only_read: bool
    file: str | None
    seed: int
    repeat: int


def parser(program: str) -> argparse.ArgumentParser:
    """Reads the options of a way."""
    told = "; ".join(f"{name}: {what}" for name, what in WAYS.items())
    parser = argparse.ArgumentParser(program, description=f"Learn from the large table. {told}.")
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("--batch-rows", type=int, default=32_768, help="rows of a batch")
    parser.add_argument("--no-prefetch", dest="prefetch", action="store_false", help="read only when asked for more")
    parser.add_argument("--columns", type=int, help="read so many columns, and nothing else")
    parser.add_argument("--only-read", action="store_true", help="make batches, and learn nothing")
    parser.add_argument("--file", help="bucket and key of a Parquet file to read in place of the table")
    parser.add_argument("--repeat", type=int, default=1, help="go so often; the quickest time counts")
    parser.add_argument("--seed", type=int, default=1, help="of the order of rows within a batch")
    return parser
