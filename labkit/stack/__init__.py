"""The stack: what the Compose file describes, as processes or as containers."""

from labkit.stack.errors import StackError
from labkit.stack.place import Ready, ServiceState
from labkit.stack.stack import Stack

__all__ = ["Ready", "ServiceState", "Stack", "StackError"]
