"""Riemannian manifolds: distances, geodesics, exponential and logarithm maps, parallel transport."""

from geolatent.manifolds.base import Manifold
from geolatent.manifolds.points import DiagonalGaussian, Gaussian

__all__ = ["DiagonalGaussian", "Gaussian", "Manifold"]
