"""`python -m gourmetgram.api`: serve the API until told to stop."""

import os
import tempfile

import uvicorn

from gourmetgram.api.settings import ApiSettings
from gourmetgram.core.logs import set_up_logging


def main() -> None:
    """Start the workers; their figures meet in a folder that lives as long as they do."""
    set_up_logging()
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
