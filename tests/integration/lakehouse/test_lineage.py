"""Chains of decisions, models and images, from the real tables, the application's database and folders of models."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from xml.etree import ElementTree

import pytest

from gourmetgram.lakehouse import runs, upkeep
from gourmetgram.lakehouse.catalog import open_catalog
from gourmetgram.lakehouse.expiry import tag_training_snapshot
from gourmetgram.lakehouse.lineage import Chain, Unknown, lineage, mermaid, picture, told
from gourmetgram.lakehouse.tables import EVENTS, TRAINING_DATA, WINDOWS
from gourmetgram.lakehouse.training_data import steps
from labkit.stack import Stack
from tests.faults import raw_topics
from tests.integration.lakehouse.planted import World, model, world
from tests.support.crowd import EVENT_TOPICS
from tests.support.lakehouse import own_settings, table_rows

MADE = range(910_001, 910_007)
CHILDS = 910_006
UNTOLD = 910_099


class Lineage:
    """A small history with a decision of the rules, two of a model, and what is to be known about them."""

    def __init__(self, stack: Stack, planted: World) -> None:
        self.planted = planted
        self.settings = own_settings(stack, "lineage")
        grown, child = planted.user(1), planted.user(2, born=2015)
        self.uploads = {image: planted.post(image, child if image == CHILDS else grown, 40) for image in MADE}
        for number in range(7):
            planted.tell("view", MADE[0], self.uploads[MADE[0]] + number * (planted.now - self.uploads[MADE[0]]) / 9)
        planted.review(MADE[3], "reject")
        planted.flush()
        self.published = runs.run_once(self.settings)
        self.loaded = steps.run_once(self.settings, "manual__of training")
        self.snapshot = int(self.loaded["snapshot"])
        with closing(open_catalog(self.settings)) as catalog:
            table = catalog.load_table(TRAINING_DATA)
            self.lineage = json.loads(table.current_snapshot().summary["gourmetgram.lineage"])  # type: ignore
            tag_training_snapshot(table, self.snapshot, "v1")
        model(self.settings, "v1", [*MADE[:3]], snapshot_id=self.snapshot, lineage=self.lineage)
        model(self.settings, "v2", [*MADE[1:3]], snapshot_id=12345, lineage=json.dumps(self.lineage))
        model(self.settings, "v3", [*MADE[1:3]])
        at = self.uploads[MADE[0]]
        self.ruled = planted.decide(MADE[0], at, policy_version="v7")
        request = "0192f0c1-1111-5111-8111-111111111111"
        self.judged = planted.decide(MADE[0], at, "v1", inference_request_id=request)
        self.shadow = planted.decide(MADE[0], at, "v2", inference_request_id=request, served=False)
        self.request = request

    def ask(self, kind: str, identity: object) -> Chain:
        return lineage(self.settings, kind, str(identity))


@pytest.fixture(scope="module")
def known(lake_stack: Stack) -> Iterator[Lineage]:
    with world(lake_stack) as planted:
        yield Lineage(lake_stack, planted)


def keys(chain: Chain) -> list[str]:
    return [node.key for node in chain.nodes]


def test_a_decision_of_the_rules_ends_at_their_version(known: Lineage) -> None:
    chain = known.ask("decision", known.ruled)
    assert keys(chain) == ["decision", "request", "policy"]
    assert chain.node("policy").title == "Rules, policy v7"
    assert "counted before these offsets of partition 4: views 17, flags 3" in told(chain).replace(
        "flags 3, views 17", "views 17, flags 3"
    )
    assert f"image {MADE[0]}" in chain.node("decision").facts


def test_a_decision_of_a_model_leads_to_the_offsets_of_the_topics(known: Lineage, lake_stack: Stack) -> None:
    chain = known.ask("decision", known.judged)
    assert keys(chain) == ["decision", "request", "model", "snapshot", "run", "raw", "history", "tables", "topics"]
    path = ["decision"]
    while chain.edges_from(path[-1]):
        path.append(chain.edges_from(path[-1])[-1].target)
    assert path == ["decision", "model", "snapshot", "run", "history", "tables", "topics"]
    assert chain.node("model").facts == ("has seen 3 images", f"image {MADE[0]} was among them")
    assert str(known.snapshot) in chain.node("snapshot").title
    rows = len(table_rows(known.settings, TRAINING_DATA))
    assert {f"{rows} rows", "kept by the tag model-v1"} <= set(chain.node("snapshot").facts)
    assert "run manual__of training" in chain.node("run").facts
    assert f"run {known.published['run_id']}" in chain.node("history").facts
    assert f"events: {known.published['tables'][EVENTS]}" in chain.node("tables").facts
    assert any("decision 3 answers the same request, by model v2" in fact for fact in chain.node("decision").facts)

    ends = raw_topics.ends(lake_stack.address("redpanda"), EVENT_TOPICS)
    told_ends = {
        (f"gourmetgram.{fact.split()[0]}", int(place)): int(end)
        for fact in chain.node("topics").facts
        for place, end in re.findall(r"(\d+):(\d+)", fact)
    }
    assert told_ends == ends, "what the broker itself says, for nothing has come since"


def test_a_request_is_answered_by_what_was_served(known: Lineage) -> None:
    assert known.ask("decision", known.request) == known.ask("decision", known.judged)


def test_a_model_whose_snapshot_has_expired_is_told_from_its_notes(known: Lineage) -> None:
    chain = known.ask("model", "v2")
    assert chain.node("snapshot").kind == "gone"
    assert keys(chain) == ["model", "snapshot", "run", "raw", "history", "tables", "topics"]
    assert chain.node("topics") == known.ask("model", "v1").node("topics")
    assert keys(known.ask("model", "v3")) == ["model", "snapshot"], "it has noted nothing"


def test_an_image_is_found_wherever_it_is(known: Lineage) -> None:
    chain = known.ask("image", MADE[0])
    assert chain.node("image").kind == "image"
    assert any("view: 7, in gourmetgram.views/" in fact for fact in chain.node("events").facts)
    assert any("upload: 1, in gourmetgram.uploads/" in fact for fact in chain.node("events").facts)
    assert chain.node("decisions").title == "Decisions: 3"
    assert chain.node("training").facts == tuple(
        f"anchor {anchor} min: not flagged within 24 h" for anchor in (0, 5, 30)
    )
    assert chain.node("models").facts == ("model v1",)
    assert known.ask("image", MADE[3]).node("training").facts[3:] == ("moderators found nothing wrong with it",)
    child = known.ask("image", CHILDS)
    assert child.node("training").title == "Rows of the training data: 0"
    assert child.node("models").facts == ("none of 3",)


def test_offsets_of_an_image_are_those_of_its_records(known: Lineage, lake_stack: Stack) -> None:
    records = raw_topics.read(lake_stack.address("redpanda"), ("gourmetgram.views",))
    own = [one for one in records if one.key == str(MADE[0]).encode()]
    least, most = min(one.offset for one in own), max(one.offset for one in own)
    place = f"gourmetgram.views/{own[0].partition}"
    assert f"view: 7, in {place} at offsets {least} to {most}" in known.ask("image", MADE[0]).node("events").facts


@pytest.mark.parametrize(
    ("kind", "identity", "answer"),
    [
        ("decision", "4711", "there is no decision 4711; there are 3 about images, from 1 to 3"),
        ("decision", "0192f0c1-2222-5111-8111-111111111111", "there are 3 about images"),
        ("decision", "soup", "soup is neither"),
        ("model", "v9", "there is no model v9; there are v1, v2, v3"),
        ("image", str(UNTOLD), f"no event about image {UNTOLD} has landed.*there are events about"),
        ("image", "soup", "an image has a number"),
        ("comment", "1", "decision, image or model, not of a comment"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(known: Lineage, kind: str, identity: str, answer: str) -> None:
    with pytest.raises(Unknown, match=answer):
        known.ask(kind, identity)


def test_every_chain_can_be_drawn(known: Lineage) -> None:
    for kind, identity in (("decision", known.judged), ("image", MADE[0]), ("model", "v2")):
        chain = known.ask(kind, identity)
        assert ElementTree.fromstring(picture(chain)).findtext("{http://www.w3.org/2000/svg}title") == chain.title
        assert mermaid(chain).count("-->") == len(chain.edges)


def test_a_deleted_image_leaves_its_models(known: Lineage) -> None:
    """The last of these tests, for it changes what the others ask about."""
    image = MADE[1]
    known.planted.delete(image)
    runs.run_once(known.settings)
    chain = known.ask("image", image)
    assert chain.node("image").kind == "gone"
    assert "gourmetgram.deletions/" in told(chain)
    assert chain.node("events").facts == ("none is left",)
    assert chain.node("training").title == "Rows of the training data: 0"
    assert chain.node("models").facts == ("model v1", "model v2", "model v3")
    upkeep.run(known.settings.model_copy(update={"keep_snapshots_hours": 0.0, "orphan_grace_hours": 0.0}))
    chain = known.ask("model", "v1")
    assert chain.node("snapshot").kind == "gone", "the tag went with the deletion"
    expired = {fact.partition(":")[0] for fact in chain.node("tables").facts if fact.endswith("(expired)")}
    assert expired >= {name.rpartition(".")[2] for name in (EVENTS, *WINDOWS.values())}
    assert "run manual__of training" in told(chain)
