"""The Iceberg catalog: which tables there are, and which metadata file is the present one of each."""

from collections.abc import Mapping
from typing import Final

import pyarrow.fs
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.io.pyarrow import PyArrowFileIO
from sqlalchemy import make_url
from sqlalchemy.exc import IntegrityError, ProgrammingError

from gourmetgram.lakehouse.settings import LakehouseSettings

NAME: Final = "gourmetgram"

REGION: Final = "us-east-1"
"""S3's protocol wants one; neither MinIO nor SeaweedFS cares which."""


CONNECT_SECONDS: Final = "5"

LIMITS: Final = {"idle_in_transaction_session_timeout": 10_000, "lock_timeout": 30_000}
"""Milliseconds. Transactions here take a few; who holds a lock for longer than the first is dead or frozen, and loses
it before anybody who waits for it gives up."""


def open_catalog(settings: LakehouseSettings) -> SqlCatalog:
    """The catalog in PostgreSQL; its own tables are made when they are missing."""
    properties = {
        "uri": _patient(settings.catalog_url.get_secret_value()),
        "warehouse": settings.warehouse,
        "pool_pre_ping": "true",
        "py-io-impl": f"{Storage.__module__}.{Storage.__name__}",
        **_access(settings),
    }
    try:
        return SqlCatalog(NAME, **properties)
    except (IntegrityError, ProgrammingError):  # somebody else has made these tables at the same moment
        return SqlCatalog(NAME, **properties)


def _patient(url: str) -> str:
    """The address with limits: nobody waits for ever for a task that was frozen in the middle of a transaction."""
    limits = " ".join(f"-c {name}={milliseconds}" for name, milliseconds in LIMITS.items())
    limited = make_url(url).update_query_dict({"options": limits, "connect_timeout": CONNECT_SECONDS})
    return limited.render_as_string(hide_password=False)


def open_storage(settings: LakehouseSettings) -> pyarrow.fs.S3FileSystem:
    """The same object storage, for scans that read only a part of each file."""
    return _file_system(_access(settings))


class Storage(PyArrowFileIO):
    """How the catalog's tables are read and written: as pyiceberg does it, but with one request for a small file.

    Else there are three (begin, send a part, complete), and most files of a commit are small.
    """

    def __init__(self, properties: Mapping[str, str]) -> None:
        super().__init__(dict(properties))
        file_system = _file_system(properties)
        self.fs_by_scheme = lambda _scheme, _bucket: file_system


def _access(settings: LakehouseSettings) -> dict[str, str]:
    return {
        "s3.endpoint": settings.s3_endpoint,
        "s3.access-key-id": settings.s3_access_key,
        "s3.secret-access-key": settings.s3_secret_key.get_secret_value(),
    }


def _file_system(access: Mapping[str, str]) -> pyarrow.fs.S3FileSystem:
    return pyarrow.fs.S3FileSystem(
        endpoint_override=access["s3.endpoint"],
        access_key=access["s3.access-key-id"],
        secret_key=access["s3.secret-access-key"],
        region=REGION,
        connect_timeout=3,
        request_timeout=20,
        allow_delayed_open=True,  # a file that is closed before it is large is sent whole
    )
