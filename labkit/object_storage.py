"""Object storage as this machine reaches it."""

from minio import Minio
from urllib3 import PoolManager, Retry, Timeout

from labkit.stack import Stack
from labkit.stack.compose_file import Kept

STORAGE = "minio"
"""The service that keeps objects."""

PATIENCE = Timeout(connect=10, read=60)


def client(stack: Stack, who: Kept) -> Minio:
    """A client with the keys of somebody who may do what is to be done."""
    connections = PoolManager(timeout=PATIENCE, retries=Retry(2))
    return Minio(stack.address(STORAGE), who.access_key, who.secret_key, secure=False, http_client=connections)
