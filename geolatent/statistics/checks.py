"""Checks of what statistics are taken on."""

from typing import Any

from geolatent.manifolds import Manifold


def require_manifold(manifold: Any) -> None:
    """Raise TypeError unless ``manifold`` is one."""
    if not isinstance(manifold, Manifold):
        raise TypeError(f"manifold must be one of geolatent.manifolds; got {manifold!r}: it comes first, then the rest")
