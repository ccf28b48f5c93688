"""Points on the manifolds of Gaussians: named tuples of parameters, to and from torch.distributions."""

from typing import NamedTuple, Self

import torch
from torch import Tensor
from torch.distributions import Distribution, Independent, LowRankMultivariateNormal, MultivariateNormal, Normal


class DiagonalGaussian(NamedTuple):
    r"""Gaussians with independent coordinates, :math:`N(\mu, \operatorname{diag}(\sigma^2))`.

    A tangent vector is the same tuple; it holds :math:`(d\mu, d\sigma)`.

    Args:
        loc: means, shape (..., n).
        scale: standard deviations (not variances, not their logarithms), shape (..., n), positive.

    >>> DiagonalGaussian(torch.zeros(2), torch.ones(2)).to_distribution()
    Independent(Normal(loc: torch.Size([2]), scale: torch.Size([2])), 1)
    """

    loc: Tensor
    scale: Tensor

    @classmethod
    def from_distribution(cls, distribution: Distribution) -> Self:
        """Read the parameters of a distribution.

        Args:
            distribution: ``Normal`` or ``Independent(Normal, 1)`` of shape (..., n): n independent coordinates.

        Returns:
            The same Gaussians, sharing the distribution's tensors.

        Raises:
            TypeError: if the distribution is of another family.
            ValueError: if a ``Normal`` has no dimension of coordinates.
        """
        normal = _independent_normal(distribution)
        if normal is None:
            raise TypeError(
                f"distribution must be Normal or Independent(Normal, 1); got {_family(distribution)}: "
                "for a MultivariateNormal use Gaussian.from_distribution"
            )
        return cls(normal.loc, normal.scale)

    def to_distribution(self) -> Independent:
        """Return ``Independent(Normal(loc, scale), 1)``."""
        return Independent(Normal(self.loc, self.scale), 1)


class Gaussian(NamedTuple):
    r"""Gaussians :math:`N(\mu, \Sigma)`.

    A tangent vector is the same tuple; it holds :math:`(d\mu, d\Sigma)`.

    Args:
        loc: means, shape (..., n).
        covariance_matrix: covariances, shape (..., n, n), symmetric positive definite.

    >>> Gaussian(torch.zeros(2), torch.eye(2)).to_distribution()
    MultivariateNormal(loc: torch.Size([2]), covariance_matrix: torch.Size([2, 2]))
    """

    loc: Tensor
    covariance_matrix: Tensor

    @classmethod
    def from_distribution(cls, distribution: Distribution) -> Self:
        """Read the parameters of a distribution.

        Args:
            distribution: ``MultivariateNormal``, ``LowRankMultivariateNormal``, ``Independent(Normal, 1)`` or
                ``Normal`` of shape (..., n); the last two have a diagonal covariance.

        Returns:
            The same Gaussians.

        Raises:
            TypeError: if the distribution is of another family.
            ValueError: if a ``Normal`` has no dimension of coordinates.
        """
        if isinstance(distribution, MultivariateNormal | LowRankMultivariateNormal):
            return cls(distribution.loc, distribution.covariance_matrix)
        normal = _independent_normal(distribution)
        if normal is None:
            raise TypeError(
                "distribution must be MultivariateNormal, Normal or Independent(Normal, 1); "
                f"got {_family(distribution)}: build Gaussian(loc, covariance_matrix) from its moments"
            )
        return cls(normal.loc, torch.diag_embed(normal.scale.square()))

    def to_distribution(self) -> MultivariateNormal:
        """Return ``MultivariateNormal(loc, covariance_matrix)``."""
        return MultivariateNormal(self.loc, self.covariance_matrix)


def _independent_normal(distribution: Distribution) -> Normal | None:
    """Return the Normal behind ``distribution``, its last dimension that of the coordinates; None if there is none."""
    if isinstance(distribution, Independent) and distribution.reinterpreted_batch_ndims == 1:
        distribution = distribution.base_dist
    if not isinstance(distribution, Normal):
        return None
    if distribution.loc.ndim == 0:
        raise ValueError(
            "a Normal must have shape (..., n); got shape (): give loc and scale a dimension of coordinates"
        )
    return distribution


def _family(distribution: Distribution) -> str:
    if isinstance(distribution, Independent):
        return f"Independent({_family(distribution.base_dist)}, {distribution.reinterpreted_batch_ndims})"
    return type(distribution).__name__
