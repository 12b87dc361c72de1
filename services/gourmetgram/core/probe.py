"""`python -m gourmetgram.core.probe URL`: exit status 0 when the address answers with 200.

A health check runs this every few seconds, so it imports nothing heavy.
"""

import http.client
import sys
import urllib.error
import urllib.request

TIMEOUT_SECONDS = 3


def problem(url: str) -> str | None:
    """What is wrong with the address, or None when it answers with 200."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS):  # noqa: S310 - the address is from the Compose file
            return None
    except urllib.error.HTTPError as error:
        return f"{url} answered {error.code}: {error.read(2000).decode(errors='replace')}"
    except (OSError, http.client.HTTPException) as error:
        return f"{url} does not answer: {error}"


if __name__ == "__main__":
    found = problem(sys.argv[1])
    sys.exit(f"probe: {found}" if found else 0)
