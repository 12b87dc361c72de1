"""A small lab of one or two snippets, to build."""

from collections.abc import Callable
from pathlib import Path

import pytest

FRONT_MATTER = "---\nkernelspec:\n  name: python3\n---\n\n"
PASSWORD = "kJ3hWq9xT2mN"

BODY = """# Start

Words.

```{code-cell}
:tags: [node-data]

print("one")
```

```{code-block} text
:class: expected

one
```

## More

```{code-cell}
:tags: [chameleon, only-chameleon]

print("two")
```
"""

Lab = Callable[..., Path]


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """Makes a lab from snippets (name -> text without front matter) and returns its root."""

    def make(**snippets: str) -> Path:
        (tmp_path / "snippets").mkdir(exist_ok=True)
        (tmp_path / "docker").mkdir(exist_ok=True)
        (tmp_path / "docker/env.template").write_text("DB_PASSWORD=<generate>\nROOT_NAME=gourmetgram\n")
        (tmp_path / "docker/.env").write_text(f"DB_PASSWORD={PASSWORD}\nROOT_NAME=gourmetgram\nX_USER=somebody\n")
        for name, text in (snippets or {"_0_start": BODY}).items():
            (tmp_path / "snippets" / f"{name.removeprefix('_')}.md").write_text(FRONT_MATTER + text)
        return tmp_path

    return make
