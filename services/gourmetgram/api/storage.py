"""Photos in object storage. A server that is away becomes `DependencyDown`."""

import io
from collections.abc import Callable
from typing import Self, TypeVar
from urllib.parse import urlsplit

import anyio.to_thread
import structlog
import urllib3
from minio import Minio
from minio.error import MinioException, S3Error

from gourmetgram.api.errors import DependencyDown
from gourmetgram.api.photos import CONTENT_TYPES

CONNECT_SECONDS, READ_SECONDS = 2, 10

T = TypeVar("T")

log = structlog.get_logger("api")


class PhotoMissing(LookupError):
    """There is no object of this name."""


class PhotoStore:
    """One bucket of photos. The client blocks, so each call runs in a thread."""

    def __init__(self, client: Minio, bucket: str, connections: urllib3.PoolManager) -> None:
        self._client = client
        self._bucket = bucket
        self._connections = connections

    @classmethod
    def connect(cls, endpoint: str, access_key: str, secret_key: str, bucket: str) -> Self:
        """A client for this server; nothing is sent yet."""
        address = urlsplit(endpoint)
        connections = urllib3.PoolManager(
            maxsize=32, retries=False, timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
        )
        client = Minio(
            address.netloc,
            access_key=access_key,
            secret_key=secret_key,
            secure=address.scheme == "https",
            region="us-east-1",  # known, so that the client need not ask for it first
            http_client=connections,
        )
        return cls(client, bucket, connections)

    def close(self) -> None:
        """Close all connections."""
        self._connections.clear()

    def url(self, name: str) -> str:
        """The s3:// address of an object in this bucket."""
        return f"s3://{self._bucket}/{name}"

    def name(self, url: str) -> str:
        """The object's name in an address made by `url`."""
        return url.removeprefix(f"s3://{self._bucket}/")

    async def put(self, name: str, data: bytes) -> None:
        """Store a photo; one of the same name is replaced."""
        content_type = CONTENT_TYPES[name.rsplit(".", 1)[-1]]
        await self._in_thread(
            lambda: self._client.put_object(self._bucket, name, io.BytesIO(data), len(data), content_type)
        )

    async def get(self, name: str) -> bytes:
        """The bytes of a photo.

        Raises:
            PhotoMissing: there is none of this name.
        """

        def read() -> bytes:
            try:
                with self._client.get_object(self._bucket, name) as answer:
                    return bytes(answer.read())
            except S3Error as error:
                if error.code == "NoSuchKey":
                    raise PhotoMissing(name) from error
                raise

        return await self._in_thread(read)

    async def remove(self, name: str) -> None:
        """Remove a photo; one that is not there is fine."""
        await self._in_thread(lambda: self._client.remove_object(self._bucket, name))

    async def ping(self) -> None:
        """Raise unless the bucket answers."""
        if not await self._in_thread(lambda: self._client.bucket_exists(self._bucket), abandon_on_cancel=True):
            raise DependencyDown(f"object storage (bucket {self._bucket})")

    @staticmethod
    async def _in_thread(call: Callable[[], T], *, abandon_on_cancel: bool = False) -> T:
        try:
            return await anyio.to_thread.run_sync(call, abandon_on_cancel=abandon_on_cancel)
        except (urllib3.exceptions.HTTPError, MinioException, OSError) as error:
            log.warning("object_storage_failed", reason=str(error))
            raise DependencyDown("object storage") from error
