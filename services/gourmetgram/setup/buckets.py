"""`python -m gourmetgram.setup.buckets`: the buckets, and on MinIO the users who may use them.

Other S3 servers read their users from a file of their own (the embedded one gets the same list from the Compose file).
"""

import os
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
import urllib3
from minio import Minio, MinioAdmin
from minio.credentials.providers import StaticProvider
from minio.error import S3Error
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_random_exponential

NotEmpty = Annotated[str, msgspec.Meta(min_length=8)]
UNKNOWN = ("InvalidAccessKeyId", "SignatureDoesNotMatch")
"""What an S3 server says to whom it does not know; `AccessDenied` is for those whom it knows."""


class Identity(msgspec.Struct, forbid_unknown_fields=True):
    """Who may read and write which buckets, or folders of them (`bucket/folder`)."""

    name: str
    access_key: NotEmpty
    secret_key: NotEmpty
    read: list[str]
    write: list[str]

    def policy(self) -> dict[str, Any]:
        """The rights as an S3 policy document."""
        readable = [place.partition("/")[0] for place in self.read]
        allowed = [
            # Who may not list a bucket is not even told that an object is missing.
            (["s3:GetBucketLocation", "s3:ListBucket"], readable),
            (["s3:GetObject"], [f"{place}/*" for place in self.read]),
            (["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"], [f"{place}/*" for place in self.write]),
        ]
        return {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": actions, "Resource": [f"arn:aws:s3:::{place}" for place in places]}
                for actions, places in allowed
                if places
            ],
        }


def is_minio(endpoint: str) -> bool:
    """Whether the server is MinIO or its successor Silo, which name themselves in the header of every answer."""
    answer = urllib3.PoolManager(timeout=5).request("GET", endpoint, retries=False)
    return answer.headers.get("Server", "").lower() in ("minio", "silo")


def make_bucket(client: Minio, bucket: str) -> None:
    """Create the bucket unless it exists."""
    try:
        client.make_bucket(bucket)
    except S3Error as error:
        if error.code not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
            raise


def register(admin: MinioAdmin, identity: Identity) -> None:
    """Create or update one user, its policy, and the bond between them."""
    admin.policy_add(identity.name, policy=identity.policy())
    admin.user_add(identity.access_key, identity.secret_key)
    admin.policy_set(identity.name, user=identity.access_key)


def require_known(server: str, identity: Identity, *, secure: bool) -> None:
    """See that the server knows a user; what the user may do is not asked.

    Raises:
        SystemExit: it does not, or not with this key.
    """
    client = Minio(server, identity.access_key, identity.secret_key, secure=secure)
    try:
        next(client.list_objects(identity.read[0].partition("/")[0]), None)
    except S3Error as error:
        if error.code in UNKNOWN:
            raise SystemExit(
                f"the object storage at {server} does not know the user {identity.name} ({error.code}). MinIO and Silo"
                " are told of their users here; any other server has to get them from a file"
            ) from error


@retry(
    retry=retry_if_exception_type(urllib3.exceptions.HTTPError),
    stop=stop_after_delay(30),
    wait=wait_random_exponential(multiplier=0.2, max=2),
    reraise=True,
)
def main() -> None:
    """Prepare the server named by S3_ENDPOINT, as its administrator."""
    endpoint = urlsplit(os.environ["S3_ENDPOINT"])
    credentials = StaticProvider(os.environ["S3_ACCESS_KEY"], os.environ["S3_SECRET_KEY"])
    secure = endpoint.scheme == "https"
    client = Minio(endpoint.netloc, credentials=credentials, secure=secure)
    buckets = os.environ["S3_BUCKETS"].split(",")
    for bucket in buckets:
        make_bucket(client, bucket)
    identities = msgspec.yaml.decode(os.environ["S3_IDENTITIES"], type=list[Identity])
    if is_minio(endpoint.geturl()):
        admin = MinioAdmin(endpoint=endpoint.netloc, credentials=credentials, secure=secure)
        for identity in identities:
            register(admin, identity)
    for identity in identities:
        require_known(endpoint.netloc, identity, secure=secure)
    print(f"buckets {', '.join(buckets)}; users {', '.join(identity.name for identity in identities)}", flush=True)


if __name__ == "__main__":
    main()
