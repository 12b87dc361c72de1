import re
from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from labkit.paths import ROOT
from labkit.stack import StackError
from labkit.stack.compose_file import ComposeFile
from labkit.stack.interpolation import interpolate
from labkit.stack.servers import SERVERS

REAL = ROOT / "docker/docker-compose.yaml"
ONE_SHOTS = {
    "airflow-init", "extract-data", "forget-counts", "lakehouse", "large-data", "lineage", "migrate", "minio-init",
    "parity", "state", "token", "topics-init", "training", "transform-data", "truth", "verify-pipeline",
}  # fmt: skip
"""What runs to its end; everything else comes back by itself after a restart of the machine."""


@pytest.fixture(scope="module")
def real() -> ComposeFile:
    return ComposeFile(REAL)


@pytest.fixture
def anything() -> defaultdict[str, str]:
    class Anything(defaultdict[str, str]):
        def get(self, key: str, _default: object = None) -> str:
            return f"any-{key}"

    return Anything(str)


def write(folder: Path, services: str) -> ComposeFile:
    file = folder / "compose.yaml"
    file.write_text(f"services:\n{services}")
    return ComposeFile(file)


def test_every_service_runs_without_docker_or_says_why_not(real: ComposeFile, anything: defaultdict[str, str]) -> None:
    for name in real.names:
        service = real.service(name, anything)
        if service.kind == "native":
            assert service.embedded["server"] in SERVERS, name
        elif service.kind == "compose-only":
            assert len(service.reason) > 20, name
        else:
            assert service.command[:2] == ["python", "-m"] or service.python, name
            assert not service.python or (ROOT / "locks" / f"{service.python}.txt").exists(), name


def test_the_services_of_the_lab_are_there(real: ComposeFile) -> None:
    assert set(real.names) >= {
        "postgres", "adminer", "minio", "minio-init", "migrate", "topics-init", "extract-data", "transform-data",
        "api_v1", "api_v2", "data_generator", "redpanda", "redpanda-console",
    }  # fmt: skip


def test_no_data_port_listens_to_the_world() -> None:
    services = yaml.safe_load(REAL.read_text())["services"]
    for name, service in services.items():
        for port in service.get("ports", []):
            assert port.startswith(("127.0.0.1:", "${LAB_BIND:-127.0.0.1}:")), f"{name} publishes {port}"
    for data in ("postgres", "redpanda", "outbox_relay"):
        assert all(port.startswith("127.0.0.1:") for port in services[data]["ports"]), data


def test_all_services_at_once_may_take_eight_gigabytes() -> None:
    units = {"m": 1, "g": 1024}
    services = yaml.safe_load(REAL.read_text())["services"].values()
    limits = [one["mem_limit"] for one in services if one["restart"] != "no" and "v1" not in one.get("profiles", [])]
    assert sum(int(limit[:-1]) * units[limit[-1]] for limit in limits) <= 8 * 1024


def test_every_lasting_service_has_limits_and_pinned_versions() -> None:
    for name, service in yaml.safe_load(REAL.read_text())["services"].items():
        assert "mem_limit" in service, name
        assert service["cpus"] <= 2, name  # an engine refuses more than its machine has
        assert service["logging"] == {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}}, name
        assert service["restart"] == ("no" if name in ONE_SHOTS else "unless-stopped"), name
        if "build" not in service:
            assert ":" in service["image"].rsplit("/", 1)[-1], name
            assert not service["image"].endswith(":latest"), name


def test_no_secret_has_a_default() -> None:
    for line in REAL.read_text().splitlines():
        assert not ("PASSWORD" in line or "SECRET" in line or "TOKEN" in line) or ":-" not in line.split("@")[0], line


def test_needs_come_first(real: ComposeFile) -> None:
    ordered = real.with_needs(("api_v2",))
    assert ordered[-1] == "api_v2"
    assert ordered.index("postgres") < ordered.index("migrate") < ordered.index("outbox_relay")
    assert "adminer" not in ordered


def test_both_versions_of_the_api_replace_each_other(real: ComposeFile, anything: defaultdict[str, str]) -> None:
    assert real.service("api_v1", anything).replaces == ["api_v2"]
    assert real.service("api_v2", anything).replaces == ["api_v1"]
    assert real.service("api_v1", anything).profiles == ["v1"]
    assert real.service("api_v2", anything).profiles == []


def test_an_unknown_service_is_named_with_those_that_exist(real: ComposeFile) -> None:
    with pytest.raises(StackError, match=r"no service postgre\. There are: postgres, "):
        real.kind("postgre")


def test_a_service_that_cannot_run_anywhere_else_must_say_so(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="The service web needs one of `build`"):
        write(tmp_path, "  web: {image: nginx}\n").kind("web")


def test_ports_are_found_by_their_variables(tmp_path: Path) -> None:
    file = write(tmp_path, '  web: {build: ., ports: ["127.0.0.1:${WEB_PORT:-80}:80", "${ADMIN_UI_PORT:-81}:81"]}\n')
    assert file.ports == {"WEB": 80, "ADMIN_UI": 81}


def test_mounts_commands_and_health_are_read(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        """
  web:
    build: .
    restart: "no"
    command: [python, -m, web, "${NAME}"]
    volumes: ["data:/data", "./files:/files:ro"]
    healthcheck: {test: [CMD, python, -m, probe]}
    environment: {NUMBER: 1, DATA: /data}
""",
    )
    web = file.service("web", {"NAME": "x"})
    assert web.one_shot
    assert web.command == ["python", "-m", "web", "x"]
    assert web.folders == {"/data": "data", "/files": "./files"}
    assert web.health == ["python", "-m", "probe"]
    assert web.environment == {"NUMBER": "1", "DATA": "/data"}


def test_every_lasting_service_tells_whether_it_is_well() -> None:
    services = yaml.safe_load(REAL.read_text())["services"]
    lasting = {name for name, service in services.items() if service["restart"] != "no"}
    may_not = {"redpanda-console", "redisinsight"}  # their images promise no program that could ask them
    assert {name for name in lasting if "healthcheck" not in services[name]} <= may_not


def test_nimtable_is_one_build_whose_server_is_reached_through_its_login_page_only(real: ComposeFile) -> None:
    services = yaml.safe_load(REAL.read_text())["services"]
    server, page = services["nimtable"], services["nimtable-web"]
    assert server["image"].partition(":")[2] == page["image"].partition(":")[2]
    assert "ports" not in server
    assert page["ports"] == ["${LAB_BIND:-127.0.0.1}:${NIMTABLE_WEB_PORT:-3000}:3000"]
    assert real.with_needs(("nimtable-web",)) == ["postgres", "nimtable", "nimtable-web"]
    assert ("Nimtable", "nimtable_web", "", "nimtable-web") in real.pages()
    assert real.ports["NIMTABLE_WEB"] == 3000


def test_nimtable_is_told_its_database_in_yaml(anything: defaultdict[str, str]) -> None:
    text = yaml.safe_load(REAL.read_text())["configs"]["nimtable"]["content"]
    told = yaml.safe_load(interpolate(text, anything))
    assert told["server"] == {"host": "0.0.0.0", "port": 8182}  # of its container
    assert told["database"] == {
        "url": "jdbc:postgresql://postgres:5432/nimtable",
        "username": "nimtable",
        "password": "any-NIMTABLE_DB_PASSWORD",
    }


def test_who_may_write_where_in_object_storage(real: ComposeFile, anything: defaultdict[str, str]) -> None:
    told = yaml.safe_load(real.service("minio-init", anything).environment["S3_IDENTITIES"])
    assert yaml.safe_load(real.service("minio", anything).embedded["identities"]) == told
    assert {one["name"]: one["write"] for one in told} == {
        "api": ["gourmetgram-images"],
        "lakehouse": ["gourmetgram-datalake"],
        "trainer": ["gourmetgram-datalake/models", "gourmetgram-datalake/warehouse/moderation"],
        "scorer": [],
        "student": [],
    }
    keys = [one[key] for one in told for key in ("access_key", "secret_key")]
    assert len({*keys}) == len(keys)


def test_each_service_comes_with_its_own_role_and_user(real: ComposeFile, anything: defaultdict[str, str]) -> None:
    expected = {
        "lakehouse": ("lakehouse", "LAKEHOUSE"),
        "training": ("trainer", "TRAINER"),
        "risk_scoring_service": ("risk_scoring", "SCORER"),
    }
    for name, (role, user) in expected.items():
        told = real.service(name, anything).environment
        for url in (value for key, value in told.items() if key.endswith("_URL")):
            assert f"//{role}:any-{user}_DB_PASSWORD@" in url, name
        assert told["S3_ACCESS_KEY"] == f"any-S3_{user}_ACCESS_KEY"
        assert told["S3_SECRET_KEY"] == f"any-S3_{user}_SECRET_KEY"


def test_only_who_grades_sees_the_truth_and_cannot_change_it(
    real: ComposeFile, anything: defaultdict[str, str]
) -> None:
    services = yaml.safe_load(REAL.read_text())["services"]
    mounted = {
        (name, mount)
        for name, text in services.items()
        for mount in text.get("volumes", [])
        if mount.startswith("generator:")
    }
    graders = {("training", "generator:/state:ro"), ("truth", "generator:/state:ro")}
    assert mounted == {("data_generator", "generator:/state"), ("state", "generator:/state"), *graders}
    generator, training, truth = (
        real.service(name, anything).environment for name in ("data_generator", "training", "truth")
    )
    assert truth["STATE_DIR"] == generator["STATE_DIR"]
    assert training["TRUTH_FILE"] == f"{generator['STATE_DIR']}/truth/images.jsonl"


def test_a_model_is_signed_and_checked_with_the_same_key() -> None:
    services = yaml.safe_load(REAL.read_text())["services"]
    told = {name: text.get("environment", {}) for name, text in services.items()}
    keys = {name: one["MODEL_SIGNING_KEY"] for name, one in told.items() if "MODEL_SIGNING_KEY" in one}
    assert set(keys) >= {"training", "risk_scoring_service"}
    assert set(keys.values()) == {"${MODEL_SIGNING_KEY:?}"}


def test_our_own_services_cannot_gain_rights() -> None:
    for name, service in yaml.safe_load(REAL.read_text())["services"].items():
        if "build" in service:
            assert service["read_only"], name
            assert service["cap_drop"] == ["ALL"], name
            assert service["security_opt"] == ["no-new-privileges:true"], name


def test_every_secret_is_made_by_the_template() -> None:
    template = (ROOT / "docker/env.template").read_text()
    wanted = set(re.findall(r"\$\{([A-Z0-9_]+)(?::\?|\})", REAL.read_text()))
    made = set(re.findall(r"^([A-Z0-9_]+)=<generate", template, re.MULTILINE))
    # Who opens the Jupyter of the machine itself may do anything on it: no container is told its token.
    assert wanted == made - {"NOTEBOOK_TOKEN"} | {"MINIO_ROOT_USER"}


def test_each_page_is_at_a_port_that_its_service_publishes(real: ComposeFile) -> None:
    published = real.ports_by_service(embedded=False)
    for page in real.pages():
        assert page.port.upper() in published[page.service], page
    assert {(page.title, page.port, page.path) for page in real.pages() if page.service == "api_v2"} == {
        ("API", "api", ""),
        ("Live view", "api", "/live"),
        ("Review queue", "api", "/moderation"),
    }


def test_jupyter_is_the_training_beside_the_data_without_the_truth(
    real: ComposeFile, anything: defaultdict[str, str]
) -> None:
    services = yaml.safe_load(REAL.read_text())["services"]
    jupyter, training = (real.service(name, anything).environment for name in ("jupyter", "training"))
    assert real.image("jupyter") == real.image("training")
    assert {name: jupyter[name] for name in training if name in jupyter} == {
        name: value for name, value in training.items() if name != "TRUTH_FILE"
    }
    assert (jupyter["LAB_PLACE"], jupyter["LAB_SERVICE"]) == ("inside", "jupyter")
    assert jupyter["JUPYTER_TOKEN"] == "any-JUPYTER_TOKEN"
    assert "token" not in str(services["jupyter"]["command"]).lower()  # a command line is for everybody to read
    assert services["jupyter"]["volumes"] == ["../notebooks:/lab/notebooks:ro", "../work:/lab/work"]


def test_nobody_tells_processes_to_be_root_or_takes_their_port(real: ComposeFile) -> None:
    for name, service in yaml.safe_load(REAL.read_text())["services"].items():
        assert service.get("user", "nobody") not in ("root", "0", "0:0"), name
    numbers = list(real.ports.values())
    assert len({*numbers}) == len(numbers)
    assert 8888 not in numbers  # the Jupyter of the machine itself
    assert real.ports["JUPYTER"] == 8889


def test_the_broker_is_told_what_it_understands() -> None:
    """With `--set=…` Redpanda does not start: it reads a property behind `--set` as a word of its own."""
    words = yaml.safe_load(REAL.read_text())["services"]["redpanda"]["command"]
    assert not [word for word in words if word.startswith("--set=")]
    properties = {words[number + 1] for number, word in enumerate(words) if word == "--set"}
    assert properties == {"redpanda.write_caching_default=false", "redpanda.auto_create_topics_enabled=false"}


def test_the_broker_writes_to_disk_before_it_acknowledges() -> None:
    """Its mode for laptops would not."""
    words = yaml.safe_load(REAL.read_text())["services"]["redpanda"]["command"]
    assert "--unsafe-bypass-fsync=false" in words
    assert "redpanda.write_caching_default=false" in words
