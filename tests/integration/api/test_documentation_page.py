"""Part 3 lets readers try the API on its own page: what they are told to click, in a real browser."""

import json
from collections.abc import Iterator

import pytest

from tests.integration.api.people import Person
from tests.integration.api.servers import ApiProcess
from tests.support import guide
from tests.support.chromium import Chromium, program
from tests.support.clicks import Reader

pytestmark = pytest.mark.skipif(program() is None, reason="no Chromium on this machine: the page was not looked at")


@pytest.fixture
def reader() -> Iterator[Reader]:
    with Chromium(1400, 1000) as browser:
        yield Reader(browser, guide.passage("3_endpoints", "1. Click **Authorize**", "If your platform"))


def test_the_clicks_of_part_3_lead_to_a_comment(api: ApiProcess, ana: Person, reader: Reader) -> None:
    image = ana.image()
    reader.open(api.url)  # the bare address leads there
    reader.click("Authorize")
    reader.put(".modal-ux input", str(ana.token))
    reader.click("Authorize")
    reader.click("Close")
    assert reader.path.says("Open `POST /comments/`")
    reader.press("POST /comments/ Comment")
    reader.click("Try it out")
    reader.put("textarea", json.dumps({"image_id": image, "content": "I have read the page"}))
    reader.click("Execute")
    reader.sees("curl -X")
    reader.sees("I have read the page")
    reader.put("textarea", json.dumps({"image_id": int(reader.path.says("`999999`").strip("`")), "content": "?"}))
    reader.click("Execute")
    reader.sees("404")
    assert reader.path.used == reader.path.labels


def test_the_page_reads_every_operation(api: ApiProcess, reader: Reader) -> None:
    reader.open(api.url + "/docs")
    reader.sees("Comment")
    shown = reader.ask("document.querySelectorAll('.opblock').length")
    described = api.http.get("/openapi.json").json()["paths"]
    assert shown == sum(len(operations) for operations in described.values())
    assert reader.browser.problems == []
