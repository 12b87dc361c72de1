"""Tooling of a hands-on lab: its stack, its book, its checks. It knows nothing of any one lab."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labkit.notebook import Lab

    lab: Lab


def __getattr__(name: str) -> object:
    """Make `from labkit import lab` work without preparing a stack for those who only import the package."""
    if name == "lab":
        from labkit.notebook import Lab

        globals()["lab"] = Lab()
        return globals()["lab"]
    raise AttributeError(f"module 'labkit' has no attribute {name!r}")
