"""Bridges to other libraries: ``geomstats`` runs its estimators on our metrics.

A bridge imports the other library when it is first used, and that library is an extra of this package.
"""

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geolatent.interop import geomstats

__all__ = ["geomstats"]


def __getattr__(name: str) -> ModuleType:
    if name == "geomstats":
        return import_module("geolatent.interop.geomstats")
    raise AttributeError(f"module 'geolatent.interop' has no attribute {name!r}")
