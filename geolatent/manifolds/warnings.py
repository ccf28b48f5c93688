"""The warning of an iteration that ended before its tolerance."""


class ConvergenceWarning(UserWarning):
    """An iteration stopped before it reached its tolerance; the message names the batch indices."""
