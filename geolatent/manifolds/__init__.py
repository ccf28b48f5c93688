"""Riemannian manifolds: distances, geodesics, exponential and logarithm maps, parallel transport."""

from geolatent.manifolds.base import Manifold
from geolatent.manifolds.diagonal_gaussians import DiagonalGaussians
from geolatent.manifolds.points import DiagonalGaussian, Gaussian
from geolatent.manifolds.univariate_gaussians import UnivariateGaussians

__all__ = ["DiagonalGaussian", "DiagonalGaussians", "Gaussian", "Manifold", "UnivariateGaussians"]
