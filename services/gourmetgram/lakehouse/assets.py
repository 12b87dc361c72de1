"""What a DAG tells the others that it has made, by name and address: one that waits for it names the same."""

from typing import Final, NamedTuple

from gourmetgram.lakehouse import catalog, tables


class Name(NamedTuple):
    """The first arguments of an Airflow asset."""

    name: str
    uri: str


HISTORY: Final = Name("gourmetgram_history", f"iceberg://{catalog.NAME}/{tables.NAMESPACE}")
TRAINING_DATA: Final = Name(
    "gourmetgram_training_data", f"iceberg://{catalog.NAME}/{tables.TRAINING_DATA.replace('.', '/')}"
)
