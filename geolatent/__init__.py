"""Geometry of latent spaces, on a compiled core.

``import geolatent as gl`` and then ``gl.linalg``, ``gl.manifolds``, ``gl.statistics``, ``gl.divergences``,
``gl.embeddings``, ``gl.jacobians``, ``gl.models``, ``gl.training``, ``gl.datasets``, ``gl.metrics``, ``gl.plots``,
``gl.studies``, ``gl.report``, ``gl.interop``: each room is loaded when it is first entered.
"""

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_ROOMS = (
    "datasets",
    "divergences",
    "embeddings",
    "interop",
    "jacobians",
    "linalg",
    "manifolds",
    "metrics",
    "models",
    "plots",
    "report",
    "statistics",
    "studies",
    "training",
)

if TYPE_CHECKING:
    from geolatent import (
        datasets,
        divergences,
        embeddings,
        interop,
        jacobians,
        linalg,
        manifolds,
        metrics,
        models,
        plots,
        report,
        statistics,
        studies,
        training,
    )

__all__ = [
    "__version__",
    "datasets",
    "divergences",
    "embeddings",
    "interop",
    "jacobians",
    "linalg",
    "manifolds",
    "metrics",
    "models",
    "plots",
    "report",
    "statistics",
    "studies",
    "training",
]


def __getattr__(name: str) -> ModuleType:
    if name in _ROOMS:
        return import_module(f"geolatent.{name}")
    raise AttributeError(f"module 'geolatent' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
