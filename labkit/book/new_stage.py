"""The beginning of a new stage: a snippet that builds and runs, and its solutions."""

import re
from pathlib import Path

from labkit.book.errors import SnippetError

NAME = re.compile(r"(?P<number>\d+)_(?P<topic>[a-z][a-z0-9_]*)")

FRONT_MATTER = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
{facts}---

"""

SNIPPET = """# Part {number}: {title}

Why does this stage exist? Say in two or three sentences what cannot be done so far. In this notebook we

- do one thing,
- and see what comes of it.

```{{code-cell}}
:tags: [node-data]

from labkit import lab
```

## The first step

The reason comes before the command. Then there is one cell, then what one should see, then what to do if not.

```{{code-cell}}
:tags: [node-data]

lab.ps()
```

## Exercises

### Exercise {number}.1: a first question

What is asked, and in which form the answer shall be.

:::{{dropdown}} First hint
A step towards the answer, not the answer.
:::

```{{code-cell}}
:tags: [node-data]
:id: exercise-{number}-1

answer = ...
```

```{{code-cell}}
:tags: [node-data]
:id: check-{number}-1

with lab.exercise("{number}.1", answer) as exercise:
    exercise.check("it is what was asked for", lambda it: it == 42, "What to think about.")
```

## Stage check

```{{code-cell}}
:tags: [node-data]

with lab.stage("{name}") as stage:
    stage.check("the notebook knows its place", lambda: lab.place, "What to do if not.")
```
"""

SOLUTIONS = """# Solutions of part {number}

## {number}.1

```{{code-cell}}
:tags: [node-data]
:id: exercise-{number}-1

answer = 42
```

A mistake that the check must refuse, and what is wrong with it.

```{{code-cell}}
:tags: [node-data, wrong]
:id: exercise-{number}-1

answer = 41
```
"""


def write(root: Path, name: str) -> list[Path]:
    """Write the files of a new stage, such as `10_dashboards`, into the lab at `root`; returns them.

    Raises:
        SnippetError: the name is no name for a stage, or its number is taken; nothing was written.
    """
    match = NAME.fullmatch(name)
    if not match:
        raise SnippetError(f"expected a number and a topic in small letters, such as 10_dashboards, got {name!r}")
    if taken := sorted((root / "snippets").glob(f"{match['number']}_*.md")):
        raise SnippetError(f"the number {match['number']} is taken by {taken[0].name}: choose another one")
    words = {"name": name, "number": match["number"], "title": match["topic"].replace("_", " ")}
    snippet, solutions = root / "snippets" / f"{name}.md", root / "solutions" / f"{name}.md"
    facts = "lab:\n  minutes: 20\n  needs: []\n"
    snippet.write_text(FRONT_MATTER.format(facts=facts) + SNIPPET.format(**words), encoding="utf-8")
    solutions.parent.mkdir(exist_ok=True)
    solutions.write_text(FRONT_MATTER.format(facts="") + SOLUTIONS.format(**words), encoding="utf-8")
    return [snippet, solutions]
