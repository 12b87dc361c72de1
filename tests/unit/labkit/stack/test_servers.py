import json
from pathlib import Path

import pytest

from labkit.stack import StackError
from labkit.stack.servers import Setting, kafka
from labkit.stack.servers.seaweedfs import SeaweedFS

IDENTITIES = """
- {name: api, access_key: api-key, secret_key: api-secret, read: [photos], write: [photos]}
- {name: student, access_key: student-key, secret_key: student-secret, read: [photos, lake], write: []}
"""


def test_s3_users_get_the_rights_of_the_compose_file(tmp_path: Path) -> None:
    options = {"root": {"access_key": "root", "secret_key": "secret"}, "identities": IDENTITIES}
    SeaweedFS(Setting(tmp_path, {}, {}, options, tmp_path)).prepare()

    users = tmp_path / "users.json"
    rights = {one["name"]: set(one["actions"]) for one in json.loads(users.read_text())["identities"]}
    assert users.stat().st_mode & 0o777 == 0o600
    assert "Admin" in rights["root"]
    assert rights["api"] == {"Read:photos", "List:photos", "Write:photos", "Tagging:photos"}
    assert rights["student"] == {"Read:photos", "List:photos", "Read:lake", "List:lake"}


def test_a_jar_that_was_not_tested_is_refused(tmp_path: Path) -> None:
    jar = tmp_path / kafka.CHECKSUMS.read_text().split()[1]
    jar.write_bytes(b"something else")
    with pytest.raises(StackError, match="is not the file that was tested"):
        kafka.verify([jar])
