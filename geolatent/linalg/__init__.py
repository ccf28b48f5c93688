"""Linear algebra on batches of small matrices."""

from geolatent.linalg.eigvals import eigvals

__all__ = ["eigvals"]
