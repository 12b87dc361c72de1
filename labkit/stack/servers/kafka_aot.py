"""Java's ahead-of-time cache for Kafka: a broker that starts from it is there in less than half the time.

The first broker of a checkout records what it loads, and writes the cache when it is stopped. That costs its start
next to nothing, and its stop some seconds. The next broker checks what was written, and uses it.
"""

import os
import subprocess
import time
from hashlib import sha256
from pathlib import Path

from labkit.alone import alone
from labkit.paths import CACHE

CHECK_SECONDS = 20
RECORDING_SECONDS = 1800
"""A recording that has not ended by then never will; another broker may try."""


def use(java: list[str]) -> list[str]:
    """Options that start this Java from the cache; none when there is none yet."""
    cache = _cache(java)
    if not cache.exists():
        with alone(cache.with_suffix(".lock")):
            if _written(cache).exists() and _is_whole(_written(cache), java):
                _written(cache).replace(cache)
    return [f"-XX:AOTCache={cache}"] if cache.exists() else []


def use_or_record(java: list[str]) -> list[str]:
    """The same, or options that write the cache at the end; one broker at a time does that."""
    options = use(java)
    cache = _cache(java)
    if options or not _claim(cache.with_suffix(".recording")):
        return options
    for left in (_written(cache), _written(cache).with_suffix(".new.config")):
        left.unlink(missing_ok=True)
    return [f"-XX:AOTCacheOutput={_written(cache)}"]


def _cache(java: list[str]) -> Path:
    """A cache fits one Java, its options and jars; for others there is another."""
    key = f"{java} {Path(java[0]).stat().st_mtime_ns}"
    return CACHE / "kafka-aot" / f"{sha256(key.encode()).hexdigest()[:12]}.aot"


def _written(cache: Path) -> Path:
    return cache.with_suffix(".new")


def _claim(file: Path) -> bool:
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        file.touch(exist_ok=False)
    except FileExistsError:
        if time.time() - file.stat().st_mtime < RECORDING_SECONDS:
            return False
        file.touch()
    return True


def _is_whole(written: Path, java: list[str]) -> bool:
    """Whether Java accepts a cache; one that is half written, or still being so, it does not."""
    argv = [java[0], "-XX:AOTMode=on", f"-XX:AOTCache={written}", *java[1:], "-version"]
    environment = {"PATH": os.defpath}
    return (
        subprocess.run(argv, capture_output=True, check=False, timeout=CHECK_SECONDS, env=environment).returncode == 0
    )
