"""The models in object storage, as the scorer reads them."""

import json
from typing import Final, Self
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error

from gourmetgram.risk_scoring.deployment import StorageAway
from gourmetgram.risk_scoring.serving import Model
from gourmetgram.training import pointer
from gourmetgram.training.errors import ModelRefused

CONNECT_SECONDS: Final = 2
READ_SECONDS: Final = 10


class ModelFolder:
    """The folder of all models, which this service may only read."""

    def __init__(self, client: Minio, address: str, key: bytes) -> None:
        self._client = client
        self._bucket, _, self._prefix = address.removeprefix("s3://").rstrip("/").partition("/")
        self._key = key

    @classmethod
    def connect(cls, endpoint: str, access_key: str, secret_key: str, address: str, key: str) -> Self:
        """A client for this server; nothing is sent yet.

        Args:
            endpoint: http://host:port.
            access_key: who asks.
            secret_key: and the proof.
            address: s3://bucket/folder of the models.
            key: the lab's, with which models are signed.
        """
        server = urlsplit(endpoint)
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
        client = Minio(
            server.netloc,
            access_key=access_key,
            secret_key=secret_key,
            secure=server.scheme == "https",
            region="us-east-1",  # known, so that the client need not ask for it first
            http_client=urllib3.PoolManager(retries=False, timeout=timeout),
        )
        return cls(client, address, key.encode())

    def read(self, path: str) -> bytes:
        """A file below the folder.

        Raises:
            FileNotFoundError: there is none.
            StorageAway: nobody answers, or not as it should.
        """
        try:
            answer = self._client.get_object(self._bucket, f"{self._prefix}/{path}")
        except S3Error as error:
            if error.code in ("NoSuchKey", "NoSuchBucket"):
                raise FileNotFoundError(path) from error
            raise StorageAway(f"{path}: {error.code}") from error
        except (MinioException, urllib3.exceptions.HTTPError) as error:
            raise StorageAway(f"{path}: {error}") from error
        try:
            return answer.data
        except urllib3.exceptions.HTTPError as error:
            raise StorageAway(f"{path}: {error}") from error
        finally:
            answer.close()
            answer.release_conn()

    def deployed(self) -> str | None:
        """See deployment.Models."""
        return pointer.deployed(self)

    def load(self, version: str) -> tuple[Model, str]:
        """See deployment.Models."""
        from gourmetgram.training import artifacts  # scikit-learn takes 100 MB: not before there is a model

        trained = artifacts.load(self, version, self._key)
        try:
            return Model.of(trained), json.dumps(trained.metadata)
        except ValueError as error:
            raise ModelRefused(str(error)) from error
