"""A small lab of one or two snippets, to build."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from labkit.book.__main__ import main
from labkit.book.build import Book
from labkit.book.errors import SnippetError

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


def make_lab(root: Path, **snippets: str) -> Path:
    """Make a lab at `root` from snippets (name -> text without front matter), or a small one; returns `root`."""
    (root / "snippets").mkdir(exist_ok=True)
    (root / "docker").mkdir(exist_ok=True)
    (root / "docker/env.template").write_text("DB_PASSWORD=<generate>\nROOT_NAME=gourmetgram\n")
    (root / "docker/.env").write_text(f"DB_PASSWORD={PASSWORD}\nROOT_NAME=gourmetgram\nX_USER=somebody\n")
    for name, text in (snippets or {"_0_start": BODY}).items():
        (root / "snippets" / f"{name.removeprefix('_')}.md").write_text(FRONT_MATTER + text)
    return root


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """Makes a lab in a folder of the test, as `make_lab` does."""
    return partial(make_lab, tmp_path)


def built(root: Path, folder: str = "notebooks", stage: str = "0_start") -> Any:
    """A notebook, after a build that has to succeed."""
    assert main([], root) == 0
    return json.loads((root / folder / f"{stage}.ipynb").read_text())


def build_error(root: Path) -> str:
    """What a build that has to fail says."""
    with pytest.raises(SnippetError) as failed:
        Book(root).render()
    return str(failed.value)
