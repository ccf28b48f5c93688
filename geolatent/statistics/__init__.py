"""Statistics on any manifold."""

from typing import TYPE_CHECKING

from geolatent.statistics.frechet_mean import FrechetMean, frechet_mean
from geolatent.statistics.kmeans import KMeans, kmeans
from geolatent.statistics.tangent_pca import TangentComponents, tangent_pca

if TYPE_CHECKING:
    from geolatent.statistics.estimators import RiemannianKMeans, TangentPCA

__all__ = [
    "FrechetMean",
    "KMeans",
    "RiemannianKMeans",
    "TangentComponents",
    "TangentPCA",
    "frechet_mean",
    "kmeans",
    "tangent_pca",
]


def __getattr__(name: str) -> type:
    """Load the estimators, and scikit-learn with them, when one is first asked for."""
    if name in ("RiemannianKMeans", "TangentPCA"):
        from geolatent.statistics import estimators

        estimator: type = getattr(estimators, name)
        return estimator
    raise AttributeError(f"module 'geolatent.statistics' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
