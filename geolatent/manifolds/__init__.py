"""Riemannian manifolds: distances, geodesics, exponential and logarithm maps, parallel transport."""

from geolatent.manifolds.affine_invariant_spd import AffineInvariantSPD
from geolatent.manifolds.base import Manifold
from geolatent.manifolds.bures_wasserstein_spd import BuresWassersteinSPD
from geolatent.manifolds.diagonal_gaussians import DiagonalGaussians
from geolatent.manifolds.fixed_rank_spsd import FixedRankSPSD
from geolatent.manifolds.grassmannian import Grassmannian
from geolatent.manifolds.log_cholesky_spd import LogCholeskySPD
from geolatent.manifolds.log_euclidean_spd import LogEuclideanSPD
from geolatent.manifolds.multivariate_gaussians import GeodesicSolution, MultivariateGaussians
from geolatent.manifolds.points import DiagonalGaussian, Gaussian
from geolatent.manifolds.product import Product
from geolatent.manifolds.univariate_gaussians import UnivariateGaussians
from geolatent.manifolds.warnings import ConvergenceWarning

__all__ = [
    "AffineInvariantSPD",
    "BuresWassersteinSPD",
    "ConvergenceWarning",
    "DiagonalGaussian",
    "DiagonalGaussians",
    "FixedRankSPSD",
    "Gaussian",
    "GeodesicSolution",
    "Grassmannian",
    "LogCholeskySPD",
    "LogEuclideanSPD",
    "Manifold",
    "MultivariateGaussians",
    "Product",
    "UnivariateGaussians",
]
