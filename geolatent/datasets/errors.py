"""The one error of this room."""


class DataError(RuntimeError):
    """A data file is missing, damaged or truncated; the message names the file and the remedy."""
