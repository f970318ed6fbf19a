"""What can go wrong, by whose fault, and what the command line does about it."""

from __future__ import annotations


class GazehouseError(Exception):
    """Base of every error that is explained to the user in one line."""


class UserError(GazehouseError):
    """The study, an option or a path is wrong: nothing is started, exit code 2."""


class UnknownNameError(UserError):
    """A layer, head, camera, condition or key that the model or study does not have."""


class CheckpointError(UserError):
    """The checkpoint is missing, incomplete, of another kind or not safe to load."""


class WarehouseLockedError(UserError):
    """Another process has the warehouse open."""


class WarehouseError(GazehouseError):
    """The warehouse could not be built; the one that was there is untouched."""


class DataError(GazehouseError):
    """An episode, frame or mask cannot be used: it becomes a row in ``issues``, the rest of the study goes on.

    ``subject`` is the file or frame, ``reason`` a short fixed name such as 'truncated_jpeg'; the message says what
    was found, what was expected and what to do.
    """

    def __init__(self, message: str, *, subject: str, reason: str) -> None:
        super().__init__(message)
        self.subject = subject
        self.reason = reason
