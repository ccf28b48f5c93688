"""The formulas that a manifold supplies: `Manifold` in base.py calls them with checked points of one floating type."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from geolatent.manifolds.components import components, map_components, scaled
from geolatent.manifolds.smooth import root

Point = TypeVar("Point", bound=Tensor | tuple[Any, ...])


class Formulas(ABC, Generic[Point]):
    """What differs between manifolds; all of it broadcasts and can be differentiated by any transform of torch."""

    event_ndims: tuple[int, ...]
    """Number of trailing dimensions of each component that belong to one point."""

    @abstractmethod
    def _as_point(self, name: str, value: Any) -> Point:
        """Convert what the user gave to a point; raise unless its type and its trailing shape fit the manifold."""

    @abstractmethod
    def _check_point(self, name: str, point: Point) -> None:
        """Raise ValueError, naming the batch index, unless every point lies on the manifold."""

    @abstractmethod
    def _belongs(self, point: Point) -> Tensor: ...

    @abstractmethod
    def _squared_dist(self, point_a: Point, point_b: Point) -> Tensor: ...

    @abstractmethod
    def _inner_product(self, u: Point, v: Point, base_point: Point) -> Tensor: ...

    @abstractmethod
    def _exp(self, tangent_vec: Point, base_point: Point) -> Point: ...

    @abstractmethod
    def _log(self, point: Point, base_point: Point) -> Point: ...

    @abstractmethod
    def _parallel_transport(self, tangent_vec: Point, base_point: Point, end_point: Point) -> Point: ...

    @abstractmethod
    def _random_point(
        self, batch_shape: tuple[int, ...], generator: torch.Generator | None, dtype: torch.dtype, device: Any
    ) -> Point: ...

    def _as_tangent(self, name: str, value: Any) -> Point:
        """Convert what the user gave to a tangent vector, which has the structure of a point unless overridden."""
        return self._as_point(name, value)

    def _dist(self, point_a: Point, point_b: Point) -> Tensor:
        return root(self._squared_dist(point_a, point_b))

    def _geodesic(self, initial_point: Point, end_point: Point) -> Callable[[Tensor], Point]:
        """Return the geodesic as a function of times, which broadcast against the batch."""
        velocity = self._log(end_point, initial_point)
        return lambda time: self._exp(scaled(velocity, time, self.event_ndims), initial_point)

    def _factors(self, points: Point) -> Any:
        """Return what the distances of N points to others are computed from, once a point; batch shape (N,).

        It is not differentiated, and `_pairwise_block` takes it for two sets.
        """
        return points

    def _pairwise_block(self, rows: Any, columns: Any) -> Tensor:
        """Return the distances of N to M points from their factors, unblocked, with no derivative.

        Where ``columns`` is ``rows``, the points are the same: only what stands above the diagonal is read.
        """
        return self._all_dist(rows, columns)

    def _entries_of_pair(self, factors: Any) -> int:
        """Return how many numbers the largest temporary tensor of `_pairwise_block` holds a pair."""
        return max(tensor[0].numel() for tensor in components(factors))

    def _all_dist(self, rows: Point, columns: Point) -> Tensor:
        """Return the distances of N to M points, differentiable."""
        return self._dist(map_components(lambda x: x[:, None], rows), map_components(lambda x: x[None], columns))
