"""`python -m gourmetgram.state save NAME` and `… restore NAME`: all that the platform holds, as one archive.

The archive lies in object storage, at `state/NAME`, where `./lab save` fetches it from and `./lab restore` puts it.
Nobody else may be writing meanwhile: `./lab` stops the services before.
"""

import argparse
import json
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from typing import Any, BinaryIO, Final

from gourmetgram.core.model_files import METADATA, SIGNATURE, is_signed, signature
from gourmetgram.lakehouse import publishing
from gourmetgram.state.bundle import BROKEN, Damaged, Member, Reader, Writer
from gourmetgram.state.counts import Counts
from gourmetgram.state.database import Database, described
from gourmetgram.state.generator import Folder
from gourmetgram.state.objects import Objects
from gourmetgram.state.records import Log, TopicsDiffer
from gourmetgram.state.settings import StateSettings

CATALOG_OWNER: Final = "lakehouse"
MODELS: Final = "models/"
REGISTER = "INSERT INTO api_tokens (token_hash, user_id, scope, created_at) VALUES (%s, %s, %s, %s)"


class Platform:
    """All stores of one lab."""

    def __init__(self, settings: StateSettings) -> None:
        self.databases = {
            "gourmetgram": Database("gourmetgram", settings.database_url.get_secret_value()),
            "iceberg_catalog": Database("iceberg_catalog", settings.catalog_url.get_secret_value()),
        }
        self.topics = Log(settings.kafka_bootstrap_servers)
        self.counts = Counts(settings.redis_url.get_secret_value())
        self.objects = Objects(settings)
        self.generator = Folder(settings.state_dir)
        self._key = settings.model_signing_key.get_secret_value().encode()

    def manifest(self, groups: Collection[str] = ()) -> dict[str, Any]:
        """What there is, counted; an archive begins with it, and a restored lab is compared with it."""
        return {
            "databases": {name: database.about() for name, database in self.databases.items()},
            "transactions": self.databases["gourmetgram"].transactions(),
            "topics": self.topics.ranges(),
            "groups": self.topics.groups(groups),
            "keys": self.counts.number(),
            "objects": self.objects.about(),
        }

    def save(self, target: BinaryIO, note: str) -> None:
        """Write everything into an archive, with a note about it.

        Raises:
            Damaged: something was written meanwhile, so that the archive does not hold what it begins with.
        """
        now = datetime.now(UTC).isoformat(timespec="seconds")
        manifest = {"made": now, "note": note, "signed_models": self._signed_models()} | self.manifest()
        with closing(Writer(target, manifest)) as writer:
            for database in self.databases.values():
                database.save(writer)
            self.topics.save(writer, manifest["topics"])
            self.counts.save(writer)
            self.generator.save(writer)
            self.objects.save(writer)
        now_there = self.manifest() | {"groups": manifest["groups"]}  # a broker may list one of them only later
        if told := list(differences(manifest, now_there)):
            raise Damaged("something was written meanwhile; save again when no task is at work:\n" + "\n".join(told))

    def restore(self, source: BinaryIO) -> dict[str, Any]:
        """Put everything from an archive in the place of what is there; returns its manifest."""
        reader = Reader(source)
        manifest = reader.manifest
        self.objects.empty()
        self.generator.empty()
        self.counts.empty()
        self.databases["iceberg_catalog"].prepare(CATALOG_OWNER, publishing.SCHEMA)
        with ExitStack() as stack:
            tables = {name: stack.enter_context(database.emptied()) for name, database in self.databases.items()}
            records = self.topics.loading()
            records.begin_at(manifest["topics"])
            tokens: dict[int, bytes] = {}
            for member in reader.members():
                match member.parts[0]:
                    case "postgres":
                        name, table = member.parts[1:3]
                        tables[name].load(member, described(manifest["databases"][name], table))
                    case "topics":
                        records.load(member)
                    case "redis":
                        self.counts.load(member)
                    case "generator":
                        tokens |= self.generator.load(member)
                    case "objects":
                        self.objects.load(member, self._signed_anew(member, manifest["signed_models"]))
            for name, loading in tables.items():
                loading.go_on_from(manifest["databases"][name]["sequences"])
            now = datetime.now(UTC)
            tables["gourmetgram"].insert(REGISTER, [(token, user, "user", now) for user, token in tokens.items()])
        self.databases["gourmetgram"].pass_transactions(int(manifest["transactions"]))
        self.topics.restore_groups(manifest["groups"])
        return manifest

    def check(self, archived: Mapping[str, Any]) -> None:
        """Compare what there is now with what an archive says.

        Raises:
            Damaged: something differs.
        """
        told = list(differences(archived, self.manifest(archived["groups"])))
        told += [f"the key {key} of Redis is in the archive, and not here" for key in self.counts.missing()]
        if told:
            raise Damaged("what was restored differs from the archive:\n" + "\n".join(told))

    def _signed_models(self) -> list[str]:
        """The metadata that this lab has signed; what somebody else put there must not be signed by the next lab."""
        found = self.objects.named(MODELS, METADATA)
        return [name for name, content in found if is_signed(_metadata(content), self._key)]

    def _signed_anew(self, member: Member, signed: list[str]) -> bytes | None:
        """The metadata of a model with a signature of this lab; None for what is written as it is."""
        if "/".join(member.parts[2:]) not in signed:
            return None
        content = member.content.read()
        metadata = json.loads(content)
        return content.replace(metadata[SIGNATURE].encode(), signature(metadata, self._key).encode())


def differences(archived: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[str]:
    """What two manifests of one state say differently, as sentences.

    Not compared is what time takes away: keys of Redis, and the oldest records of a topic.
    """
    for name in ("groups", "objects"):
        if archived[name] != here[name]:
            yield f"{name}: {archived[name]} in the archive, {here[name]} here"
    for place in sorted(archived["topics"].keys() | here["topics"].keys()):
        (first, end), (begins, ends) = (told["topics"].get(place, (0, 0)) for told in (archived, here))
        if end != ends or begins < first:
            yield f"{place}: records {first} to {end} in the archive, {begins} to {ends} here"
    for database, about in archived["databases"].items():
        found = here["databases"][database]["tables"]
        for table, one in about["tables"].items():
            rows = found.get(table, {"rows": "no such table"})["rows"]
            if one["rows"] != rows:
                yield f"{database} {table}: {one['rows']} rows in the archive, {rows} here"


def _metadata(content: bytes) -> dict[str, Any]:
    """What a model says of itself; nothing, where somebody has put something else."""
    try:
        read = json.loads(content)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def main() -> int:
    """Save, or restore and compare what there is then with what the archive says."""
    parser = argparse.ArgumentParser(prog="state", description="The whole state of the platform as one archive.")
    parser.add_argument("task", choices=["save", "restore"])
    parser.add_argument("name", help="of the archive in object storage")
    parser.add_argument("--note", default="", help="a text that the archive carries")
    asked = parser.parse_args()
    platform = Platform(StateSettings())
    try:
        if asked.task == "save":
            platform.objects.send(asked.name, lambda target: platform.save(target, asked.note))
        else:
            with closing(platform.objects.archive(asked.name)) as source:
                archived = platform.restore(source)
            platform.check(archived)
    except (Damaged, TopicsDiffer, *BROKEN) as error:
        print(f"state: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
