"""The probe of the health checks, against a server of the standard library."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest


class Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(int(self.path[1:]))
        self.end_headers()
        self.wfile.write(b"why it is so")

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Health) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def probe(url: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gourmetgram.core.probe", url]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_200_is_healthy(server: str) -> None:
    assert probe(f"{server}/200").returncode == 0


def test_503_is_not_and_the_body_says_why(server: str) -> None:
    result = probe(f"{server}/503")
    assert result.returncode == 1
    assert "503: why it is so" in result.stderr


def test_nobody_there_is_not_healthy() -> None:
    result = probe("http://127.0.0.1:1/")
    assert result.returncode == 1
    assert "does not answer" in result.stderr


def test_it_imports_nothing_heavy() -> None:
    code = "import sys; import gourmetgram.core.probe; print([m for m in sys.modules if 'gourmetgram' in m])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert sorted(eval(shown)) == ["gourmetgram", "gourmetgram.core", "gourmetgram.core.probe"]
