"""What is wrong with a snippet, and where."""


class SnippetError(Exception):
    """A snippet cannot be built; the message names the file, the place, and what was expected."""
