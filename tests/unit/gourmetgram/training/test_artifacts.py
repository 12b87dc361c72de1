import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.preprocessing import StandardScaler

from gourmetgram.core import model_files
from gourmetgram.core.features import FEATURES
from gourmetgram.core.model_files import METADATA, signature
from gourmetgram.training import artifacts, pointer
from gourmetgram.training.artifacts import CLASSIFIER, SCALER
from gourmetgram.training.errors import BadVersion, ModelRefused
from gourmetgram.training.model import CalibratedClassifier, Model, category_encoder
from tests.support.training import world

KEY = b"the key of this lab"
ROWS = world(500, seed=1)
SEEN = b"stands for the file of images"


class Memory:
    """A folder of models; remembers the order in which files came."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def read(self, path: str) -> bytes:
        if path not in self.files:
            raise FileNotFoundError(path)
        return self.files[path]

    def write(self, path: str, content: bytes) -> None:
        self.files.pop(path, None)
        self.files[path] = content


def model(version: str) -> Model:
    scaler = StandardScaler().fit(ROWS.features)
    scaled = scaler.transform(ROWS.features)
    classifier = SGDClassifier(loss="log_loss", random_state=1).fit(scaled, ROWS.labels)
    calibrator = LogisticRegression().fit(classifier.decision_function(scaled)[:, np.newaxis], ROWS.labels)
    metadata = {"version": version, "metrics": {"ä": 0.1 + 0.2, "none": None, "many": [1, 2]}}
    return Model(metadata, scaler, CalibratedClassifier(classifier, calibrator), category_encoder())


@pytest.fixture
def folder() -> Memory:
    made = Memory()
    artifacts.publish(made, model("v1"), {model_files.SEEN: SEEN}, KEY)
    return made


def test_a_model_that_is_loaded_says_what_the_model_that_was_stored_said(folder: Memory) -> None:
    stored, loaded = model("v1"), artifacts.load(folder, "v1", KEY)
    np.testing.assert_array_equal(loaded.score(ROWS.features), stored.score(ROWS.features))
    assert loaded.score(ROWS.features).std() > 0
    assert loaded.metadata["metrics"] == stored.metadata["metrics"]
    assert loaded.encoder.transform([["Egg"]]).tolist() == [[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]]


def test_the_metadata_comes_last_and_names_every_other_file(folder: Memory) -> None:
    names = [path.removeprefix("v1/") for path in folder.files]
    assert names[-1] == METADATA
    assert set(json.loads(folder.files[f"v1/{METADATA}"])["files"]) == set(names[:-1])
    assert folder.files[f"v1/{model_files.SEEN}"] == SEEN


def test_a_version_is_written_once_but_an_upload_that_was_cut_short_is_no_model(folder: Memory) -> None:
    with pytest.raises(BadVersion, match="there is a model v1 already"):
        artifacts.publish(folder, model("v1"), {}, KEY)
    del folder.files[f"v1/{METADATA}"]
    artifacts.publish(folder, model("v1"), {}, KEY)
    artifacts.load(folder, "v1", KEY)


@pytest.mark.parametrize("version", ["", "..", "a/b", "../v1", "x" * 65, ".hidden", "v1\n"])
def test_a_version_cannot_leave_its_folder(version: str, folder: Memory) -> None:
    with pytest.raises(BadVersion, match="expected a version"):
        artifacts.publish(folder, model(version), {}, KEY)
    with pytest.raises(BadVersion, match="expected a version"):
        artifacts.load(folder, version, KEY)


Damage = Callable[[Memory], None]


def signed_anew(change: Callable[[dict[str, Any]], object]) -> Damage:
    """Metadata that is changed and signed again by somebody who has the key."""

    def damage(folder: Memory) -> None:
        metadata = json.loads(folder.files[f"v1/{METADATA}"])
        change(metadata)
        metadata["signature"] = signature(metadata, KEY)
        folder.files[f"v1/{METADATA}"] = json.dumps(metadata).encode()

    return damage


def unsigned(change: Callable[[dict[str, Any]], object]) -> Damage:
    """Metadata that is changed by somebody who has no key."""

    def damage(folder: Memory) -> None:
        metadata = json.loads(folder.files[f"v1/{METADATA}"])
        change(metadata)
        folder.files[f"v1/{METADATA}"] = json.dumps(metadata).encode()

    return damage


def flipped(name: str, position: float) -> Damage:
    """One bit of a file is another one."""

    def damage(folder: Memory) -> None:
        content = bytearray(folder.files[f"v1/{name}"])
        content[int(position * (len(content) - 1))] ^= 1
        folder.files[f"v1/{name}"] = bytes(content)

    return damage


def without(name: str) -> Damage:
    def damage(folder: Memory) -> None:
        del folder.files[f"v1/{name}"]

    return damage


def cut_short(folder: Memory) -> None:
    folder.files[f"v1/{SCALER}"] = folder.files[f"v1/{SCALER}"][:-10]


def swapped(folder: Memory) -> None:
    files = folder.files
    files[f"v1/{SCALER}"], files[f"v1/{CLASSIFIER}"] = files[f"v1/{CLASSIFIER}"], files[f"v1/{SCALER}"]


REFUSED: dict[str, tuple[Damage, str]] = {
    **{
        f"a bit of {name} at {position:.0%}": (flipped(name, position), f"{name} is damaged")
        for name in (*artifacts.PICKLED, model_files.SEEN)
        for position in (0, 0.5, 1)
    },
    **{
        f"no {name}": (without(name), f"{name} is missing") for name in (*artifacts.PICKLED, model_files.SEEN, METADATA)
    },
    "half a file": (cut_short, "scaler.joblib is damaged"),
    "files that changed places": (swapped, "is damaged"),
    "metadata that is no JSON": (flipped(METADATA, 0), "metadata.json is damaged"),
    "metadata that is a list": (lambda folder: folder.write(f"v1/{METADATA}", b"[]"), "expected an object"),
    "no signature": (unsigned(lambda said: said.pop("signature")), "not signed with this lab's key"),
    "a signature that is a number": (unsigned(lambda said: said.update(signature=1)), "not signed"),
    "a signature with an umlaut": (unsigned(lambda said: said.update(signature="ä")), "not signed"),
    "better metrics": (unsigned(lambda said: said["metrics"].update(none=1)), "not signed"),
    "another sum": (unsigned(lambda said: said["files"].update({SCALER: "0" * 64})), "not signed"),
    "features in another order": (signed_anew(lambda said: said["features"].reverse()), "other features"),
    "a feature less": (signed_anew(lambda said: said["features"].pop()), "other features"),
    "another version's folder": (signed_anew(lambda said: said.update(version="v2")), "it says that it is 'v2'"),
    "a format to come": (signed_anew(lambda said: said.update(format=2)), "expected format 1, got 2"),
    "other categories": (signed_anew(lambda said: said["categories"].pop()), "other categories"),
    "a file that nobody vouches for": (signed_anew(lambda said: said["files"].pop(SCALER)), "expected the files"),
    "an old library": (
        signed_anew(lambda said: said["libraries"].update({"scikit-learn": "1.8.2"})),
        "1.8.2, but",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_with_a_reason_before_anything_is_unpickled(
    name: str, folder: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage, reason = REFUSED[name]
    damage(folder)
    monkeypatch.setattr(joblib, "load", lambda _: pytest.fail("unpickled"))
    with pytest.raises(ModelRefused, match=f"model v1: .*{reason}"):
        artifacts.load(folder, "v1", KEY)
    with pytest.raises(ModelRefused):
        artifacts.deploy(folder, "v1", KEY)
    assert pointer.deployed(folder) is None


def test_the_key_of_another_lab_opens_nothing(folder: Memory) -> None:
    with pytest.raises(ModelRefused, match="not signed with this lab's key"):
        artifacts.load(folder, "v1", b"another key")


class Evil:
    """Does something when it is unpickled."""

    def __init__(self, traces: Path) -> None:
        self.traces = traces

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.traces,)


def test_what_somebody_slips_in_is_never_run(folder: Memory, tmp_path: Path) -> None:
    joblib.dump(Evil(tmp_path / "traces"), tmp_path / "evil")
    joblib.load(tmp_path / "evil")
    assert (tmp_path / "traces").exists()
    (tmp_path / "traces").unlink()
    folder.files[f"v1/{CLASSIFIER}"] = (tmp_path / "evil").read_bytes()
    with pytest.raises(ModelRefused, match="joblib is damaged"):
        artifacts.load(folder, "v1", KEY)
    assert not (tmp_path / "traces").exists()


def test_the_pointer_moves_only_to_models_that_can_be_loaded(folder: Memory) -> None:
    artifacts.publish(folder, model("v2"), {}, KEY)
    assert pointer.deployed(folder) is None
    for version in ("v1", "v2", "v1"):
        assert artifacts.deploy(folder, version, KEY).version == version
        assert pointer.deployed(folder) == version
    flipped(SCALER, 0.5)(folder)
    artifacts.deploy(folder, "v2", KEY)
    with pytest.raises(ModelRefused):
        artifacts.deploy(folder, "v1", KEY)
    assert pointer.deployed(folder) == "v2"


@pytest.mark.parametrize("content", [b"", b"{}", b'"v1"', b'{"version": "../../secrets"}', b'{"version": 3}'])
def test_a_pointer_that_points_nowhere_is_refused(content: bytes, folder: Memory) -> None:
    folder.write(model_files.POINTER, content)
    with pytest.raises(ModelRefused, match=r"latest\.json does not say which version"):
        pointer.deployed(folder)
    artifacts.deploy(folder, "v1", KEY)
    assert (pointer.deployed(folder), pointer.previous(folder)) == ("v1", None), "a deployment mends it"


def test_the_pointer_remembers_which_model_was_replaced(folder: Memory) -> None:
    artifacts.publish(folder, model("v2"), {}, KEY)
    assert pointer.previous(folder) is None
    seen = []
    for version in ("v1", "v2", "v2", "v1"):
        artifacts.deploy(folder, version, KEY)
        seen.append(pointer.previous(folder))
    assert seen == [None, "v1", "v1", "v2"]


def test_signing_does_not_depend_on_how_the_metadata_is_spelled() -> None:
    said = {"b": [1.5, None, "ü"], "a": {"y": 1, "x": 2}}
    again = json.loads(json.dumps({"a": {"x": 2, "y": 1}, "b": [1.5, None, "ü"]}, indent=3, ensure_ascii=False))
    assert signature(said, KEY) == signature(again, KEY)
    assert signature({**said, "signature": "old"}, KEY) == signature(said, KEY)
    assert signature({**said, "b": [1.5, 0, "ü"]}, KEY) != signature(said, KEY)


def test_all_features_are_named_in_their_order(folder: Memory) -> None:
    assert json.loads(folder.files[f"v1/{METADATA}"])["features"] == list(FEATURES)
