"""Why no model comes of it, or why one must not be used; messages are for people."""


class TrainingError(ValueError):
    """A model cannot be trained as it was asked for."""


class NotEnough(TrainingError):
    """There is too little to train a model with; the message says of what."""


class NoSuchSnapshot(TrainingError):
    """The table has no snapshot of this id."""


class BadVersion(TrainingError):
    """The version cannot be the name of a folder, or has been given to another model."""


class ModelRefused(Exception):
    """A model, or the pointer to it, must not be used; the message says which and why, for people."""
