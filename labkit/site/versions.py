"""The reference of what others make: servers, images and packages, as `./lab versions` lists them."""

from collections.abc import Iterable

from labkit import versions

HYPHEN = "\u2011"
"""At which no line is broken."""

PAGE = """# Versions and licences

What the lab runs that others make. Versions are pinned in `docker/docker-compose.yaml`, `docker/Dockerfile` and
`locks/`. `./lab versions --newer` asks the package index what is newer today.

## Servers

{servers}

### What is newer

{newer}

## Packages

{packages}
"""


def page() -> str:
    """The page, as Markdown."""
    servers = list(versions.servers())
    packages = ([_linked(one), one.version, one.licence] for one in versions.packages())
    return PAGE.format(
        servers=_table(
            ("Server or image", "Version", "Licence", "Looked up"),
            ([_linked(one), one.version, one.licence, one.checked.replace("-", HYPHEN)] for one in servers),
        ),
        newer="\n".join(f"- **{one.name}**: {one.newer}" for one in servers if one.newer),
        packages=_table(("Package", "Version", "Licence"), packages),
    )


def _linked(one: versions.Version) -> str:
    return f"[{one.name}]({one.upstream})" if one.upstream else one.name


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    titles = list(head)
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
