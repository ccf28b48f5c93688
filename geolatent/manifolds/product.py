"""Products of manifolds."""

from collections.abc import Callable, Sequence
from math import isfinite
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from geolatent._checks import require_same_device
from geolatent.manifolds.base import Manifold
from geolatent.manifolds.components import components
from geolatent.manifolds.smooth import root

Tuple = tuple[Any, ...]


class Product(Manifold[Tuple]):
    r"""Product of manifolds: a point is a tuple of points.

    .. math::
        d^2(a, b) = \sum_i w_i \, d_i^2(a_i, b_i), \qquad \langle u, v \rangle = \sum_i w_i \langle u_i, v_i \rangle_i

    Geodesics, the exponential and logarithm maps and parallel transport are those of the factors, whatever the weights.
    The product has the properties that all its factors have: with a `FixedRankSPSD` among them, the triangle inequality
    may fail.

    Points and tangent vectors are tuples of those of the factors, of batch shapes that broadcast.

    Args:
        *factors: manifolds.
        weights: positive numbers w, one a factor; all one if left out.

    Source:
        [lui2010action] for latent tensors as points of a product.

    >>> from geolatent.manifolds import LogEuclideanSPD
    >>> manifold = Product(LogEuclideanSPD(2), LogEuclideanSPD(3), weights=(4.0, 1.0))
    >>> point = torch.eye(2), torch.eye(3)
    >>> manifold.dist(point, (torch.e * torch.eye(2), torch.eye(3)))
    tensor(2.8284)
    """

    def __init__(self, *factors: Manifold[Any], weights: Sequence[float] | None = None) -> None:
        if not factors or not all(isinstance(factor, Manifold) for factor in factors):
            raise TypeError(f"factors must be manifolds; got {factors!r}: pass them one by one, not in a list")
        self.factors = factors
        if isinstance(weights, Real):
            raise TypeError(f"weights must be a sequence of numbers, one a factor; got {weights!r}: such as (2.0, 1.0)")
        self.weights = (1.0,) * len(factors) if weights is None else tuple(float(weight) for weight in weights)
        if len(self.weights) != len(factors):
            raise ValueError(
                f"weights must be as many as factors, {len(factors)}; got {len(self.weights)}: give each factor one"
            )
        if not all(weight > 0 and isfinite(weight) for weight in self.weights):
            raise ValueError(
                f"weights must be positive and finite; got {self.weights}: leave out a factor of no weight"
            )
        self.event_ndims = tuple(ndim for factor in factors for ndim in factor.event_ndims)

    def __repr__(self) -> str:
        weights = "" if set(self.weights) == {1.0} else f", weights={self.weights}"
        return f"Product({', '.join(map(repr, self.factors))}{weights})"

    def _as_point(self, name: str, value: Any) -> Tuple:
        return self._checked(name, value, "_as_point")

    def _as_tangent(self, name: str, value: Any) -> Tuple:
        return self._checked(name, value, "_as_tangent")

    def _checked(self, name: str, value: Any, conversion: str) -> Tuple:
        if not isinstance(value, tuple) or len(value) != len(self.factors):
            came = f"one of {len(value)}" if isinstance(value, tuple) else type(value).__name__
            raise TypeError(
                f"{name} must be a tuple of {len(self.factors)} entries, one a factor; got {came}: put the points of "
                "the factors into one tuple"
            )
        parts = tuple(
            getattr(factor, conversion)(f"{name}[{i}]", part)
            for i, (factor, part) in enumerate(zip(self.factors, value, strict=True))
        )
        require_same_device(**{f"{name}[{i}]": components(part)[0] for i, part in enumerate(parts)})
        return parts

    def _check_point(self, name: str, point: Tuple) -> None:
        for i, (factor, part) in enumerate(zip(self.factors, point, strict=True)):
            factor._check_point(f"{name}[{i}]", part)

    def _belongs(self, point: Tuple) -> Tensor:
        first, *others = (factor._belongs(part) for factor, part in zip(self.factors, point, strict=True))
        for other in others:
            first = first & other
        return first

    def _squared_dist(self, point_a: Tuple, point_b: Tuple) -> Tensor:
        return self._weighted(lambda factor, a, b: factor._squared_dist(a, b), point_a, point_b)

    def _inner_product(self, u: Tuple, v: Tuple, base_point: Tuple) -> Tensor:
        return self._weighted(lambda factor, *parts: factor._inner_product(*parts), u, v, base_point)

    def _exp(self, tangent_vec: Tuple, base_point: Tuple) -> Tuple:
        return self._each(lambda factor, *parts: factor._exp(*parts), tangent_vec, base_point)

    def _log(self, point: Tuple, base_point: Tuple) -> Tuple:
        return self._each(lambda factor, *parts: factor._log(*parts), point, base_point)

    def _geodesic(self, initial_point: Tuple, end_point: Tuple) -> Callable[[Tensor], Tuple]:
        paths = self._each(lambda factor, *parts: factor._geodesic(*parts), initial_point, end_point)
        return lambda time: tuple(path(time) for path in paths)

    def _parallel_transport(self, tangent_vec: Tuple, base_point: Tuple, end_point: Tuple) -> Tuple:
        return self._each(lambda factor, *parts: factor._parallel_transport(*parts), tangent_vec, base_point, end_point)

    def _random_point(
        self, batch_shape: tuple[int, ...], generator: torch.Generator | None, dtype: torch.dtype, device: Any
    ) -> Tuple:
        return tuple(factor._random_point(batch_shape, generator, dtype, device) for factor in self.factors)

    def _factors(self, points: Tuple) -> Tuple:
        return self._each(lambda factor, part: factor._factors(part), points)

    def _pairwise_block(self, rows: Tuple, columns: Tuple) -> Tensor:
        return root(self._weighted(lambda factor, a, b: factor._pairwise_block(a, b).square(), rows, columns))

    def _entries_of_pair(self, factors: Tuple) -> int:
        return max(self._each(lambda factor, part: factor._entries_of_pair(part), factors))

    def _each(self, function: Callable[..., Any], *points: Tuple) -> Tuple:
        """Apply ``function`` to every factor and its entries of the points."""
        return tuple(function(factor, *parts) for factor, *parts in zip(self.factors, *points, strict=True))

    def _weighted(self, function: Callable[..., Tensor], *points: Tuple) -> Tensor:
        """Return the weighted sum of what ``function`` gives for every factor and its entries of the points."""
        first, *others = (
            weight * square for weight, square in zip(self.weights, self._each(function, *points), strict=True)
        )
        for other in others:
            first = first + other
        return first
