"""Outputs as anybody may see them: without passwords, tokens, folders and ports that are of one machine and one run."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

TOKEN = re.compile(r"(?<![\w-])[A-Za-z0-9_-]{43}(?![\w-])")
"""32 random bytes in base64, as our API makes them."""

LAB = "~/lab"
"""What the lab's folder is called on the site."""


@dataclass(frozen=True)
class Scrubber:
    """Replaces what is private to one run: `secrets` by name, ports shifted by `offset`, the lab's folder `root`."""

    root: Path
    secrets: Mapping[str, str]
    ports: Iterable[int]
    offset: int

    def text(self, text: str) -> str:
        """The text with names in place of secrets, `LAB` in place of the folder, and the ports of an ordinary start."""
        for name, value in sorted(self.secrets.items(), key=lambda item: -len(item[1])):
            text = text.replace(value, f"[{name}]")
        text = TOKEN.sub("[token]", text).replace(str(self.root), LAB).replace(str(Path.home()), "~")
        for port in self.ports if self.offset else ():
            text = re.sub(rf"(?<=127\.0\.0\.1:){port + self.offset}\b", str(port), text)
        return text
