"""All Gaussians of one dimension, with the Fisher-Rao metric, solved in general position."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.distributions import Distribution

from geolatent.manifolds.arguments import prepare, require_components
from geolatent.manifolds.base import Manifold
from geolatent.manifolds.checks import covariance_belongs, require_covariance, require_finite
from geolatent.manifolds.components import cast, scaled
from geolatent.manifolds.fisher_rao.bounds import squared_bounds
from geolatent.manifolds.fisher_rao.exponential import exponential
from geolatent.manifolds.fisher_rao.geodesics import geodesics
from geolatent.manifolds.fisher_rao.newton import UNIQUE_UP_TO
from geolatent.manifolds.fisher_rao.transport import transport
from geolatent.manifolds.points import Gaussian
from geolatent.manifolds.smooth import root

_ROUNDING = 64  # units of n eps by which certified bounds are moved outwards


class GeodesicSolution(NamedTuple):
    """Geodesics between pairs of Gaussians and how far they can be trusted; every entry has the batch shape first.

    Args:
        dist: length of the shortest geodesic found.
        velocity: its initial velocity, a tangent vector at the first Gaussian.
        lower: certified lower bound of the distance.
        upper: certified upper bound of the distance.
        unique: whether the distance lies below 11.7496, the shortest at which a conjugate point has been found by
            numerical search (not proved). Beyond, several starts were tried and the shortest geodesic was kept, but it
            is not certified to be the only or the shortest one.
        residual: how far the lift of the geodesic is from horizontal, relative to the velocity; zero is exact.
        iterations: Newton steps taken.
    """

    dist: Tensor
    velocity: Gaussian
    lower: Tensor
    upper: Tensor
    unique: Tensor
    residual: Tensor
    iterations: Tensor


class MultivariateGaussians(Manifold[Gaussian]):
    r"""Gaussians :math:`N(\mu, \Sigma)` in n dimensions.

    .. math::
        ds^2 = d\mu^T \Sigma^{-1} d\mu + \tfrac12 \operatorname{tr}\bigl((\Sigma^{-1} d\Sigma)^2\bigr)

    This is the Fisher information metric, at this scale: for equal covariances and near means the distance is the
    Mahalanobis distance. No closed form of the distance is known. The geodesic is found by Newton's method over a skew
    matrix of size n, whose minimum is the squared distance; the batch runs through the compiled solver, one pair to a
    SIMD lane, in float64 whatever the input. Distances are invariant under every affine map of the sample space.

    Geodesics are unique up to a distance of about 11.7 and not always beyond, see :meth:`solve`. First derivatives of
    the distance and of `log` are closed forms in the solution; the distance can be differentiated twice and `log` once
    (one more raises NotImplementedError), by every transform of torch except forward mode within forward mode.
    Differentiating `log`, or the distance twice, forms a matrix of n (n - 1) / 2 rows a pair.

    Points and tangent vectors are `Gaussian` tuples of shape (..., n), (..., n, n); points may also be
    ``MultivariateNormal``, ``Independent(Normal, 1)`` or ``Normal`` objects.

    A geodesic whose residual exceeds 1e-8 gives a `ConvergenceWarning` that names the batch indices; its distance is
    then an upper bound.

    Args:
        n: dimension.

    Accuracy:
        Relative error of distances at most 1e-12 in float64, from coincident points on, for covariances of condition up
        to 1e4 and n up to 8 (tested against 80 digits up to a distance of 33); whitening loses about cond(Sigma) eps
        beyond. exp(log) closes to a distance of 1e-10 for distances up to 10.

    Source:
        [eriksen1987geodesics] for geodesics; the solver is described in the design notes, "The Fisher-Rao solver".

    >>> manifold = MultivariateGaussians(2)
    >>> a = Gaussian(torch.zeros(2), torch.eye(2))
    >>> b = Gaussian(torch.tensor([10.0, 0.0]), torch.eye(2))
    >>> manifold.dist(a, b)
    tensor(5.5874)
    """

    event_ndims = (1, 2)

    def __init__(self, n: int) -> None:
        if isinstance(n, bool) or not isinstance(n, int) or n < 1:
            raise ValueError(f"n must be a positive integer; got {n!r}: it is the dimension of the Gaussians")
        self.n = n

    def __repr__(self) -> str:
        return f"MultivariateGaussians({self.n})"

    def solve(self, point_a: Gaussian | Distribution, point_b: Gaussian | Distribution) -> GeodesicSolution:
        """Geodesics from ``point_a`` to ``point_b`` with bounds, residuals and whether they are known to be unique.

        Args:
            point_a: points.
            point_b: points; batch shapes broadcast.

        Returns:
            A `GeodesicSolution`; dist and velocity can be differentiated.
        """
        (a, b), dtype = prepare(self, {"point_a": point_a, "point_b": point_b})
        found = geodesics(a, b)
        lower, upper = self._bounds(a, b)
        distance = root(found.squared_dist)
        unique = torch.ones_like(distance, dtype=torch.bool) if self.n == 1 else distance.detach() <= UNIQUE_UP_TO
        velocity = cast(dtype, found.velocity)
        return GeodesicSolution(
            dist=distance.to(dtype),
            velocity=velocity,
            lower=lower.to(dtype),
            upper=upper.to(dtype),
            unique=unique,
            residual=found.residual.detach(),
            iterations=found.iterations.detach().long(),
        )

    def dist_bounds(self, point_a: Gaussian | Distribution, point_b: Gaussian | Distribution) -> tuple[Tensor, Tensor]:
        r"""Certified bounds of the distance, without iteration.

        The lower bound is the affine-invariant distance after the embedding
        :math:`[\Sigma + \mu\mu^T, \mu; \mu^T, 1]` over the positive definite matrices. The upper bound is the least of
        three: two values of the function that the solver minimises, and the root of the Jeffreys divergence. Both are
        moved outwards by 64 n eps; they are not differentiable.

        Args:
            point_a: points.
            point_b: points; batch shapes broadcast.

        Returns:
            Lower and upper bounds, of the broadcast batch shape.

        Source:
            [calvo1990distance] below; [nielsen2023fisher] for the Jeffreys bound.
        """
        (a, b), dtype = prepare(self, {"point_a": point_a, "point_b": point_b})
        lower, upper = self._bounds(a, b)
        return lower.to(dtype), upper.to(dtype)

    def _bounds(self, a: Gaussian, b: Gaussian) -> tuple[Tensor, Tensor]:
        lower, upper = squared_bounds(*(Gaussian(*(x.detach() for x in point)) for point in (a, b)))
        slack = _ROUNDING * self.n * torch.finfo(a.loc.dtype).eps
        return lower.sqrt() * (1 - slack), upper.sqrt() * (1 + slack)

    def _as_point(self, name: str, value: Any) -> Gaussian:
        if isinstance(value, Distribution):
            try:
                value = Gaussian.from_distribution(value)
            except (TypeError, ValueError) as error:
                raise type(error)(f"{name}: {error}") from None
        require_components(name, value, Gaussian, "a Gaussian, MultivariateNormal or Independent(Normal, 1)")
        came = tuple(value.loc.shape), tuple(value.covariance_matrix.shape)
        if came[0][-1:] != (self.n,) or came[1][-2:] != (self.n, self.n):
            raise ValueError(
                f"{name} must have loc (..., {self.n}) and covariance_matrix (..., {self.n}, {self.n}); got {came[0]} "
                f"and {came[1]}: use MultivariateGaussians(n) with n the last dimension"
            )
        return value

    def _check_point(self, name: str, point: Gaussian) -> None:
        require_finite(f"{name}.loc", point.loc, (1,))
        require_covariance(f"{name}.covariance_matrix", point.covariance_matrix)

    def _belongs(self, point: Gaussian) -> Tensor:
        return point.loc.isfinite().all(-1) & covariance_belongs(point.covariance_matrix)

    def _squared_dist(self, point_a: Gaussian, point_b: Gaussian) -> Tensor:
        return geodesics(point_a, point_b).squared_dist

    def _inner_product(self, u: Gaussian, v: Gaussian, base_point: Gaussian) -> Tensor:
        factor = torch.linalg.cholesky(base_point.covariance_matrix)
        x, y = (_inward(factor, vector.loc.unsqueeze(-1)) for vector in (u, v))
        bend, turn = (_inward(factor, _inward(factor, vector.covariance_matrix).mT) for vector in (u, v))
        return (x * y).sum((-1, -2)) + 0.5 * (bend * turn.mT).sum((-1, -2))

    def _exp(self, tangent_vec: Gaussian, base_point: Gaussian) -> Gaussian:
        return exponential(tangent_vec, base_point)

    def _log(self, point: Gaussian, base_point: Gaussian) -> Gaussian:
        return geodesics(base_point, point).velocity

    def _geodesic(self, initial_point: Gaussian, end_point: Gaussian) -> Callable[[Tensor], Gaussian]:
        """Walk to each time from the nearer end, which halves the length over which rounding grows."""
        forward, backward = self._log(end_point, initial_point), self._log(initial_point, end_point)

        def at(time: Tensor) -> Gaussian:
            from_start = exponential(scaled(forward, time, self.event_ndims), initial_point)
            from_end = exponential(scaled(backward, 1 - time, self.event_ndims), end_point)
            near = time <= 0.5
            return Gaussian(
                torch.where(near[..., None], from_start.loc, from_end.loc),
                torch.where(near[..., None, None], from_start.covariance_matrix, from_end.covariance_matrix),
            )

        return at

    def _parallel_transport(self, tangent_vec: Gaussian, base_point: Gaussian, end_point: Gaussian) -> Gaussian:
        return transport(tangent_vec, self._log(end_point, base_point), base_point)

    def _random_point(
        self, batch_shape: tuple[int, ...], generator: torch.Generator | None, dtype: torch.dtype, device: Any
    ) -> Gaussian:
        def normal(*shape: int) -> Tensor:
            return torch.randn(*batch_shape, *shape, generator=generator, dtype=dtype, device=device)

        frame = torch.linalg.qr(normal(self.n, self.n)).Q * normal(1, self.n).mul(0.5).exp()
        return Gaussian(normal(self.n), frame @ frame.mT)


def _inward(factor: Tensor, right: Tensor) -> Tensor:
    return torch.linalg.solve_triangular(factor, right, upper=False)
