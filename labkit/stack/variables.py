"""The environment variables of a service, for who wants to do the same work from a notebook."""


class Variables(dict[str, str]):
    """Names and values. Values hold passwords, so only names are shown; a single one is shown by asking for it."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(sorted(self))})"

    @property
    def arguments(self) -> dict[str, str]:
        """The same by names in lower case, as the settings classes of services take them.

        `Settings(**variables.arguments)` is what the service itself reads from its environment.
        """
        return Variables({name.lower(): value for name, value in self.items()})
