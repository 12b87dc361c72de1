"""What can go wrong with a stack, said to a person."""


class StackError(Exception):
    """A service is not as it should be. The message names it, says what was expected, and what to do.

    Attributes:
        service: the service that is at fault, or None when none is.
    """

    def __init__(self, message: str, service: str | None = None) -> None:
        super().__init__(message)
        self.service = service
