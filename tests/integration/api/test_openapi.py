"""schemathesis reads the OpenAPI document and sends what it allows, and what it does not, to the running API."""

import subprocess
import sys
from pathlib import Path

import pytest

from labkit.stack import Stack
from tests.integration.api.people import new_person
from tests.integration.api.reviewers import new_token
from tests.integration.api.servers import ApiProcess

EXAMPLES = 40  # of each operation, the same in every run; what the specification names is covered besides
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "missing_required_header,unsupported_method,ignored_auth"
)


@pytest.mark.parametrize(("scope", "paths"), [("user", "."), ("import", "^/import"), ("moderator", "^/moderation")])
def test_no_server_error_and_no_undocumented_answer(
    v2: ApiProcess, stack: Stack, tmp_path: Path, scope: str, paths: str
) -> None:
    """All paths as somebody who may little, and those that want more as who may."""
    ana = new_person(v2)
    image = ana.image()
    ana.comment(image)
    ana.flag(image_id=image)
    tokens = {"user": ana.token, "import": stack.setting("IMPORT_TOKEN"), "moderator": new_token(stack)}
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", f"{v2.url}/openapi.json", "--checks", CHECKS,
        "--include-path-regex", paths, "-H", f"Authorization: Bearer {tokens[scope]}",
        "--phases", "examples,coverage,fuzzing", "--max-examples", str(EXAMPLES), "--seed", "1",
        "--suppress-health-check", "all", "--no-color",
    ]  # fmt: skip
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert result.returncode == 0, result.stdout[-20_000:] + result.stderr[-2000:]
