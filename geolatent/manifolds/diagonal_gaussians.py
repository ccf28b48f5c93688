"""Gaussians with diagonal covariance, with the Fisher-Rao metric: a product of hyperbolic planes."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Distribution

from geolatent import _kernels
from geolatent._kernels import diagonal_dist as kernel
from geolatent.manifolds import half_plane
from geolatent.manifolds.arguments import require_components
from geolatent.manifolds.base import Manifold
from geolatent.manifolds.checks import require_finite, require_positive_scale
from geolatent.manifolds.points import DiagonalGaussian

_SQRT2 = math.sqrt(2)


class DiagonalGaussians(Manifold[DiagonalGaussian]):
    r"""Gaussians :math:`N(\mu, \operatorname{diag}(\sigma^2))` with n independent coordinates.

    .. math::
        ds^2 = \sum_i \frac{d\mu_i^2 + 2 \, d\sigma_i^2}{\sigma_i^2}, \qquad
        d^2(a, b) = 8 \sum_i \operatorname{asinh}^2
            \sqrt{\frac{(\mu_i^a - \mu_i^b)^2 / 2 + (\sigma_i^a - \sigma_i^b)^2}{4 \sigma_i^a \sigma_i^b}}

    This is the Fisher information metric at the scale
    :math:`ds^2 = d\mu^T \Sigma^{-1} d\mu + \frac12 \operatorname{tr}((\Sigma^{-1} d\Sigma)^2)`, restricted to diagonal
    covariances. Each pair :math:`(\mu_i / \sqrt 2, \sigma_i)` is a point of the Poincare half-plane, whose lengths are
    multiplied by :math:`\sqrt 2`; geodesics, exponential and logarithm maps and parallel transport are closed forms,
    coordinate by coordinate.

    Distances are measured **inside the diagonal Gaussians**: an upper bound of the distance among all Gaussians
    (`MultivariateGaussians`), because a geodesic of all Gaussians between two diagonal ones may leave the diagonal
    ones. For unit variances and means far apart in all n coordinates it is nearly sqrt(n) times as large. In one
    coordinate, and for equal means, the two agree.

    Points and tangent vectors are `DiagonalGaussian` tuples of shape (..., n), (..., n); points may also be ``Normal``
    or ``Independent(Normal, 1)`` of that shape.

    Args:
        n: number of coordinates.

    Accuracy:
        Relative error of distances at most 16 eps, eps the unit roundoff of the dtype, from coincident points up to
        distance 50; beyond 1000 (float64) or 125 (float32) in one coordinate they may overflow to infinity. Points of a
        geodesic lie within 64 eps (1 + r) of the exact ones, r the distance over :math:`\sqrt 2`. ``exp`` amplifies
        rounding of the vector by the factor :math:`e^r`, r its length over :math:`\sqrt 2`: exp(log) closes to
        :math:`64 \epsilon e^r`.

    Source:
        [costa2015fisher]; half-plane: [beardon1983geometry], theorem 7.2.1.

    >>> manifold = DiagonalGaussians(2)
    >>> a = DiagonalGaussian(torch.zeros(2), torch.ones(2))
    >>> b = DiagonalGaussian(torch.tensor([1.0, 0.0]), torch.tensor([1.0, 2.0]))
    >>> manifold.dist(a, b)
    tensor(1.3863)
    """

    event_ndims = (1, 1)

    def __init__(self, n: int) -> None:
        if isinstance(n, bool) or not isinstance(n, int) or n < 1:
            raise ValueError(f"n must be a positive integer; got {n!r}: it is the number of coordinates")
        self.n = n

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.n})"

    def _as_point(self, name: str, value: Any) -> DiagonalGaussian:
        if isinstance(value, Distribution):
            try:
                value = self._from_distribution(value)
            except (TypeError, ValueError) as error:
                raise type(error)(f"{name}: {error}") from None
        require_components(name, value, DiagonalGaussian, "a DiagonalGaussian, Normal or Independent(Normal, 1)")
        if value.loc.shape[-1:] != (self.n,) or value.scale.shape[-1:] != (self.n,):
            raise ValueError(
                f"{name} must have loc and scale of shape (..., {self.n}); got {tuple(value.loc.shape)} and "
                f"{tuple(value.scale.shape)}: use DiagonalGaussians(n) with n the last dimension of both"
            )
        return value

    def _from_distribution(self, distribution: Distribution) -> DiagonalGaussian:
        return DiagonalGaussian.from_distribution(distribution)

    def _check_point(self, name: str, point: DiagonalGaussian) -> None:
        require_finite(f"{name}.loc", point.loc, (1,))
        require_positive_scale(f"{name}.scale", point.scale)

    def _belongs(self, point: DiagonalGaussian) -> Tensor:
        return (point.loc.isfinite() & (point.scale > 0) & (point.scale < math.inf)).all(-1)

    def _squared_dist(self, point_a: DiagonalGaussian, point_b: DiagonalGaussian) -> Tensor:
        if _usable(*point_a, *point_b):
            return kernel.pair_by_pair(*point_a, *point_b, squared=True)
        displacement = (point_b.loc - point_a.loc) / _SQRT2
        return 2 * half_plane.squared_dist(displacement, point_a.scale, point_b.scale).sum(-1)

    def _dist(self, point_a: DiagonalGaussian, point_b: DiagonalGaussian) -> Tensor:
        if _usable(*point_a, *point_b):
            return kernel.pair_by_pair(*point_a, *point_b, squared=False)
        return super()._dist(point_a, point_b)

    def _pairwise_block(self, rows: DiagonalGaussian, columns: DiagonalGaussian) -> Tensor:
        if _usable(*rows, *columns):
            return kernel.all_pairs(*rows, *columns)
        return super()._pairwise_block(rows, columns)

    def _inner_product(self, u: DiagonalGaussian, v: DiagonalGaussian, base_point: DiagonalGaussian) -> Tensor:
        scale = base_point.scale
        return (u.loc / scale * (v.loc / scale) + 2 * (u.scale / scale) * (v.scale / scale)).sum(-1)

    def _exp(self, tangent_vec: DiagonalGaussian, base_point: DiagonalGaussian) -> DiagonalGaussian:
        displacement, scale = half_plane.exp(tangent_vec.loc / _SQRT2, tangent_vec.scale, base_point.scale)
        return DiagonalGaussian(base_point.loc + _SQRT2 * displacement, scale)

    def _log(self, point: DiagonalGaussian, base_point: DiagonalGaussian) -> DiagonalGaussian:
        displacement = (point.loc - base_point.loc) / _SQRT2
        horizontal, vertical = half_plane.log(displacement, base_point.scale, point.scale)
        return DiagonalGaussian(_SQRT2 * horizontal, vertical)

    def _geodesic(
        self, initial_point: DiagonalGaussian, end_point: DiagonalGaussian
    ) -> Callable[[Tensor], DiagonalGaussian]:
        difference = end_point.loc - initial_point.loc

        def at(time: Tensor) -> DiagonalGaussian:
            share, scale = half_plane.geodesic(
                difference / _SQRT2, initial_point.scale, end_point.scale, time[..., None]
            )
            return DiagonalGaussian(initial_point.loc + share * difference, scale)

        return at

    def _parallel_transport(
        self, tangent_vec: DiagonalGaussian, base_point: DiagonalGaussian, end_point: DiagonalGaussian
    ) -> DiagonalGaussian:
        displacement = (end_point.loc - base_point.loc) / _SQRT2
        horizontal, vertical = half_plane.parallel_transport(
            tangent_vec.loc / _SQRT2, tangent_vec.scale, displacement, base_point.scale, end_point.scale
        )
        return DiagonalGaussian(_SQRT2 * horizontal, vertical)

    def _random_point(
        self, batch_shape: tuple[int, ...], generator: torch.Generator | None, dtype: torch.dtype, device: Any
    ) -> DiagonalGaussian:
        shape = (2, *batch_shape, self.n)
        loc, log_scale = torch.randn(shape, generator=generator, dtype=dtype, device=device)
        return DiagonalGaussian(loc, log_scale.exp())


def _usable(*tensors: Tensor) -> bool:
    """Whether the kernel may answer: it computes values, no derivatives."""
    return _kernels.usable(*tensors) and not _kernels.differentiated(*tensors)
