"""Riemannian manifolds: distances, geodesics, exponential and logarithm maps, parallel transport."""

from geolatent.manifolds.base import Manifold
from geolatent.manifolds.diagonal_gaussians import DiagonalGaussians
from geolatent.manifolds.multivariate_gaussians import GeodesicSolution, MultivariateGaussians
from geolatent.manifolds.points import DiagonalGaussian, Gaussian
from geolatent.manifolds.univariate_gaussians import UnivariateGaussians
from geolatent.manifolds.warnings import ConvergenceWarning

__all__ = [
    "ConvergenceWarning",
    "DiagonalGaussian",
    "DiagonalGaussians",
    "Gaussian",
    "GeodesicSolution",
    "Manifold",
    "MultivariateGaussians",
    "UnivariateGaussians",
]
