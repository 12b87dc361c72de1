"""`python -m gourmetgram.api`: serve the API until told to stop."""

import os
import tempfile

import uvicorn

from gourmetgram.api.settings import ApiSettings


def main() -> None:
    """Start the workers; their figures meet in a folder that lives as long as they do."""
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
            log_level="warning",
            timeout_graceful_shutdown=10,
            server_header=False,
            proxy_headers=False,
        )


if __name__ == "__main__":
    main()
