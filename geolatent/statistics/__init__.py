"""Statistics on any manifold."""

from geolatent.statistics.frechet_mean import FrechetMean, frechet_mean

__all__ = ["FrechetMean", "frechet_mean"]
