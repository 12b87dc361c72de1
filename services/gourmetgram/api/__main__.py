"""`python -m gourmetgram.api`: serve the API until told to stop."""

import os
import signal
import sys
import tempfile
from types import FrameType

import uvicorn

from gourmetgram.api.settings import ApiSettings
from gourmetgram.core.logs import set_up_logging


def _exit(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - as signal handlers are called
    """Leave in order: uvicorn sends itself the signal again when it is done, which would end us on the spot."""
    sys.exit(0)


def main() -> None:
    """Start the workers; their figures meet in a folder that lives as long as they do."""
    set_up_logging()
    signal.signal(signal.SIGTERM, _exit)
    settings = ApiSettings()
    host, port = settings.api_listen.rsplit(":", 1)
    with tempfile.TemporaryDirectory(prefix="api-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        uvicorn.run(
            "gourmetgram.api.app:create_app",
            factory=True,
            host=host,
            port=int(port),
            workers=settings.api_workers,
            loop="uvloop",
            http="httptools",
            access_log=False,
            log_config=None,  # ours
            timeout_graceful_shutdown=10,
            server_header=False,
            proxy_headers=False,
        )


if __name__ == "__main__":
    main()
