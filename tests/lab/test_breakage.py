"""A service broken on purpose: `./lab run` fails, and says in which stage and because of which service."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from labkit.paths import ROOT
from tests.lab.lab_runs import lab_run, processes_of

COMPOSE = (ROOT / "docker/docker-compose.yaml").read_text()


@dataclass(frozen=True)
class Breakage:
    """One line of the Compose file changed, and what is expected to be said about it."""

    right: str
    wrong: str
    only: str
    stage: str
    heading: str
    service: str
    log: str

    def file(self, folder: Path) -> Path:
        """The changed description of the stack."""
        assert self.right in COMPOSE
        changed = COMPOSE.replace(self.right, self.wrong).replace("./init_sql", str(ROOT / "docker/init_sql"))
        path = folder / "docker-compose.yaml"
        path.write_text(changed)
        return path


BREAKAGES = {
    "wrong password": Breakage(
        right="postgresql://gourmetgram_owner:${OWNER_DB_PASSWORD:?}@",
        wrong="postgresql://gourmetgram_owner:wrong@",
        only="2",
        stage="2_application",
        heading="Making the tables",
        service="migrate",
        log="password authentication failed",
    ),
    "missing bucket": Breakage(
        right="S3_BUCKETS: gourmetgram-images,gourmetgram-datalake",
        wrong="S3_BUCKETS: gourmetgram-datalake",
        only="2",
        stage="2_application",
        heading="Object storage",
        service="minio-init",
        log="NoSuchBucket",
    ),
    "wrong command": Breakage(
        right='"gourmetgram.api"]',
        wrong='"gourmetgram.apy"]',
        only="3",
        stage="3_endpoints",
        heading="Start the API",
        service="api_v1",
        log="No module named gourmetgram.apy",
    ),
}


@pytest.mark.parametrize("name", BREAKAGES)
def test_a_broken_service_is_named_with_its_stage(tmp_path: Path, name: str) -> None:
    breakage = BREAKAGES[name]
    compose = breakage.file(tmp_path)
    ended = lab_run(tmp_path / "runs", "--only", breakage.only, LAB_COMPOSE_FILE=str(compose))
    assert ended.code == 1, ended.output
    where = rf"^{breakage.stage} failed at cell \d+/\d+, under the heading “{breakage.heading}”\.$"
    assert re.search(where, ended.output, flags=re.M), ended.output
    assert f"ervice {breakage.service}" in ended.output, ended.output
    assert breakage.log in ended.output
    assert f"report: {ended.folder / 'index.html'}" in ended.output
    assert processes_of(ended.runs) == []
