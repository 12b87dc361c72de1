"""The reference of what goes wrong on Chameleon, made from the causes that the notebooks know."""

from labkit.chameleon.causes import CAUSES

PAGE = """# What Chameleon says

When a cell of part 1 or part 9 fails, it names one of these causes. The cells are safe to run again: they go on where
they stopped.

{causes}
"""


def page() -> str:
    """The page, as Markdown."""
    return PAGE.format(causes="\n\n".join(f"**{one.name}**\n: {one.happened} {one.remedy}" for one in CAUSES))
