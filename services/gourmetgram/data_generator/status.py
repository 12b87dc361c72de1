"""`python -m gourmetgram.data_generator.status`: acknowledged writes by kind; `--healthy` for health checks."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from gourmetgram.data_generator.heartbeat import unhealthy_because
from gourmetgram.data_generator.ledger import count_by_kind


def main() -> int:
    """Print counts, or check health.

    Returns:
        0, or 1 when live traffic does not flow (`--healthy` only).
    """
    state = Path(os.environ.get("STATE_DIR", "/state"))
    if "--healthy" in sys.argv[1:]:
        reason = unhealthy_because(state, datetime.now(UTC))
        print(reason or "live traffic flows")
        return 1 if reason else 0
    counts = count_by_kind(state)
    print(f"{counts.total()} writes acknowledged")
    for kind, count in counts.most_common():
        print(f"{count:>10,} {kind}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
