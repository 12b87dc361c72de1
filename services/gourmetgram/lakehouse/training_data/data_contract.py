"""A data contract: the columns of some rows, all of them and no other, their types, and rules for their values.

The rules are written with pandera. What is broken is told to people: which column, which rule, and rows that break it.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pyarrow
from pandera.errors import SchemaErrors

SAMPLE_ROWS: Final = 3
"""Rows shown for each broken rule."""

UNBOUNDED: Final = float(np.finfo(float).max)

Values = pd.Series
Verdicts = pd.Series
"""For each row whether it is as agreed."""


class ContractBroken(ValueError):
    """Data is not as agreed; the message is for people."""


class Column(NamedTuple):
    """What is agreed about a column: a type, and rules for its values."""

    type: pyarrow.DataType
    rules: tuple[pa.Check, ...] = ()
    may_be_empty: bool = False


class Together(NamedTuple):
    """A rule about several columns of a row."""

    columns: str
    rule: str
    holds: Callable[[pd.DataFrame], Verdicts]


class Contract:
    """What is agreed about rows, which are called `what` where it is broken."""

    def __init__(self, what: str, columns: Mapping[str, Column], *together: Together) -> None:
        self._what = what
        self._types = pyarrow.schema({name: one.type for name, one in columns.items()})
        self._together = together
        rules = {name: pa.Column(checks=list(one.rules), nullable=one.may_be_empty) for name, one in columns.items()}
        verdicts = {one.columns: pa.Column(checks=rule(_itself, one.rule)) for one in together}
        self._rules = pa.DataFrameSchema(rules | verdicts)

    def check(self, batch: pyarrow.RecordBatch) -> None:
        """Return if the rows are as agreed.

        Raises:
            ContractBroken: with everything that is wrong.
        """
        if wrong := _wrong_columns(self._types, batch.schema):
            raise self._broken(wrong)
        rows = batch.to_pandas()
        verdicts = {one.columns: one.holds(rows) for one in self._together}
        try:
            self._rules.validate(rows.assign(**verdicts), lazy=True)
        except SchemaErrors as error:
            raise self._broken(_broken_rules(batch, error.failure_cases)) from None

    def _broken(self, lines: list[str]) -> ContractBroken:
        return ContractBroken("\n  ".join([f"{self._what} are not as agreed, so nothing was loaded:", *lines]))


def rule(holds: Callable[[Values], Verdicts], told: str) -> pa.Check:
    """A rule for each value of a column; `told` goes on after the column's name. Empty values are not asked."""
    return pa.Check(holds, error=told)


def number(least: float, most: float = UNBOUNDED, *, whole: bool = True) -> pa.Check:
    """The rule that a number lies between these, both included; none is infinite."""
    told = (
        f"is a {'whole' if whole else 'finite'} number from {least:g} {'on' if most == UNBOUNDED else f'to {most:g}'}"
    )

    def holds(column: Values) -> Verdicts:
        is_inside = (column >= least) & (column <= most)
        return is_inside & (np.rint(column) == column) if whole else is_inside

    return rule(holds, told)


def _itself(verdicts: Verdicts) -> Verdicts:
    return verdicts


def _wrong_columns(agreed: pyarrow.Schema, found: pyarrow.Schema) -> list[str]:
    """Columns that are missing, or there without having been agreed on, or of another type."""
    missing = [f"{name}: the column is missing" for name in agreed.names if name not in found.names]
    extra = [f"{name}: nobody has agreed on this column" for name in found.names if name not in agreed.names]
    other = [
        f"{one.name}: the type is {one.type}, not {agreed.field(one.name).type}"
        for one in found
        if one.name in agreed.names and one.type != agreed.field(one.name).type
    ]
    return missing + extra + other


def _broken_rules(batch: pyarrow.RecordBatch, cases: pd.DataFrame) -> list[str]:
    lines = []
    for (columns, told), found in cases.groupby(["column", "check"], sort=False):
        broken = "has a value" if told == "not_nullable" else told
        lines.append(f"{columns}: {len(found)} of {len(batch)} rows break the rule “{broken}”, such as")
        lines += [f"  {_shown(batch, int(row))}" for row in found["index"].head(SAMPLE_ROWS)]
    return lines


def _shown(batch: pyarrow.RecordBatch, row: int) -> str:
    (values,) = batch.slice(row, 1).to_pylist()
    return ", ".join(f"{name} {value}" for name, value in values.items())
