"""The script that sets a server up, run in a fresh Ubuntu 24.04: a real Docker engine, a real Jupyter."""

import json
import socket
import subprocess
from collections.abc import Iterator

import pytest

from labkit.paths import ROOT
from tests.chameleon.throwaway_root import Step, ThrowawayRoot, missing

SCRIPT = "lab/labkit/chameleon/node.sh"
ADDRESS = "192.0.2.7"
ENV = "lab/docker/.env"
TOKEN = f"$(sed -n s/^NOTEBOOK_TOKEN=//p {ENV})"

HISTORY = "md5sum < /var/log/apt/history.log"
ANNOUNCED = "fetching what the place chameleon needs"
PROCESSES = "pgrep --full '[j]upyterlab --port=8888'"  # else it would find this very script
API = "http://127.0.0.1:8888/api"
AUTHORIZED = f'curl --silent --header "Authorization: token {TOKEN}" {API}'

OTHER = "python3 -m http.server 8888 --directory /tmp"

WITH_NETWORK = {
    "packages": f"{SCRIPT} packages",
    "group": "id --groups --name $USER; sg docker -c 'docker info --format {{.ServerVersion}}'",
    "packages again": f'before=$({HISTORY}); {SCRIPT} packages; [ "$before" = "$({HISTORY})" ]',
    "fetch": f"{SCRIPT} fetch; until grep '{ANNOUNCED}' fetch.log; do sleep 0.5; done",
}
WITHOUT = {
    "jupyter": f"{SCRIPT} jupyter {ADDRESS}",
    "jupyter again": f"{SCRIPT} jupyter {ADDRESS}; {PROCESSES} --count",
    "open": f"curl --silent --output /dev/null --write-out '%{{http_code}}' {API}/contents",
    "with the token": f"{AUTHORIZED}/contents",
    "kernels": f"{AUTHORIZED}/kernelspecs",
    "command line": f'! tr "\\0" " " < /proc/$({PROCESSES} --oldest)/cmdline | grep --fixed-strings "{TOKEN}"',
    "settings": f"stat --format %a {ENV}; grep ^LAB_ {ENV}",
    "links": f"./lab/lab links --logins; echo here {TOKEN}",
    "status": f"{SCRIPT} status",
    "taken": f"kill $({PROCESSES}); sleep 3; {OTHER} & sleep 1; SECONDS_TO_ANSWER=15 {SCRIPT} jupyter {ADDRESS}",
    "no address": f"{SCRIPT} jupyter not-an-address",
    "usage": f"{SCRIPT} dance",
}


def bridges_of_engines() -> set[str]:
    """The networks that a Docker engine on this machine has."""
    return {name for _, name in socket.if_nameindex() if name.startswith(("docker", "br-"))}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Step]]:
    if reason := missing():
        pytest.skip(reason)
    root = ThrowawayRoot(tmp_path_factory.mktemp("ubuntu"))
    root.bring_lab()
    bridges = bridges_of_engines()
    steps = root.session(list(WITH_NETWORK.values()), network=True) + root.session(
        list(WITHOUT.values()), network=False
    )
    yield dict(zip([*WITH_NETWORK, *WITHOUT], steps, strict=True))
    subprocess.run(["rm", "-rf", "--one-file-system", root.path], check=True)
    assert bridges_of_engines() == bridges, "the engine in there has taken the network of the one outside"


def test_docker_is_installed_once_and_may_be_used(said: dict[str, Step]) -> None:
    assert said["packages"].code == 0, said["packages"].output
    assert "Docker 2" in said["packages"].output
    assert "docker" in said["group"].output.splitlines()[0].split()
    assert said["group"].output.splitlines()[-1][:1].isdigit()
    assert said["packages again"].code == 0, said["packages again"].output


def test_images_are_fetched_in_the_background(said: dict[str, Step]) -> None:
    assert "in the background" in said["fetch"].output
    assert ANNOUNCED in said["fetch"].output


def test_jupyter_is_the_labs_own_and_asks_for_its_token(said: dict[str, Step]) -> None:
    assert said["jupyter"].code == 0, said["jupyter"].output
    assert f"its pages are at http://{ADDRESS}" in said["jupyter"].output
    assert said["jupyter again"].output.splitlines()[-1] == "1"
    assert said["open"].output == "403"
    names = {one["name"] for one in json.loads(said["with the token"].output)["content"]}
    assert names >= {"0_intro.ipynb", "2_application.ipynb"}
    assert "python3" in json.loads(said["kernels"].output)["kernelspecs"]
    assert said["command line"].code == 0, "others on the machine could read the token"


def test_this_machine_is_a_node_from_now_on(said: dict[str, Step]) -> None:
    mode, *settings = said["settings"].output.splitlines()
    assert mode == "600"
    assert {"LAB_PLACE=chameleon", f"LAB_PUBLIC_HOST={ADDRESS}", "LAB_BIND=0.0.0.0"} <= set(settings)
    token = said["links"].output.splitlines()[-1].removeprefix("here ")
    assert f"http://{ADDRESS}:8888" in said["links"].output
    assert said["links"].output.count(token) == 2
    assert f"http://{ADDRESS}:8080" in said["links"].output
    assert "Jupyter: answers" in said["status"].output


def test_it_never_says_that_jupyter_answers_when_it_does_not(said: dict[str, Step]) -> None:
    assert said["taken"].code != 0
    assert "Jupyter did not answer within 15 s." in said["taken"].output
    assert "Jupyter answers" not in said["taken"].output
    assert "port 8888 is already in use" in said["taken"].output.lower()


def test_mistakes_are_refused_in_a_sentence(said: dict[str, Step]) -> None:
    assert said["no address"].code != 0
    assert "expected an address such as 129.114.25.7, got 'not-an-address'" in said["no address"].output
    assert said["usage"].code == 2
    assert "expected one of: packages, fetch, jupyter A.B.C.D, status" in said["usage"].output


def test_the_script_has_no_finding_of_shellcheck() -> None:
    try:
        script = ROOT / "labkit/chameleon/node.sh"
        done = subprocess.run(["shellcheck", script], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("needs shellcheck")
    assert done.returncode == 0, done.stdout
