"""Positive definite matrices whose metric is Euclidean in some chart: distances are those of flat vectors."""

from abc import abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

from geolatent.manifolds.positive_definite import PositiveDefinite


class FlatSPD(PositiveDefinite):
    """Positive definite matrices that a chart maps isometrically onto a Euclidean space; a base class.

    A subclass gives the chart, its inverse and the derivatives of both.
    """

    @abstractmethod
    def _chart(self, point: Tensor) -> Tensor:
        """Return the coordinates, shape (..., p, p), whose Frobenius distance is that of the points."""

    @abstractmethod
    def _point(self, coordinates: Tensor) -> Tensor: ...

    @abstractmethod
    def _moved_chart(self, point: Tensor, tangent_vec: Tensor) -> Tensor:
        """Return the derivative of the chart at the points along the vectors."""

    @abstractmethod
    def _moved_point(self, coordinates: Tensor, velocity: Tensor) -> Tensor:
        """Return the derivative of the chart's inverse at the coordinates along the velocities."""

    def _squared_dist(self, point_a: Tensor, point_b: Tensor) -> Tensor:
        return (self._chart(point_b) - self._chart(point_a)).square().sum((-1, -2))

    def _inner_product(self, u: Tensor, v: Tensor, base_point: Tensor) -> Tensor:
        return (self._moved_chart(base_point, u) * self._moved_chart(base_point, v)).sum((-1, -2))

    def _exp(self, tangent_vec: Tensor, base_point: Tensor) -> Tensor:
        return self._point(self._chart(base_point) + self._moved_chart(base_point, tangent_vec))

    def _log(self, point: Tensor, base_point: Tensor) -> Tensor:
        coordinates = self._chart(base_point)
        return self._moved_point(coordinates, self._chart(point) - coordinates)

    def _geodesic(self, initial_point: Tensor, end_point: Tensor) -> Callable[[Tensor], Tensor]:
        start, end = self._chart(initial_point), self._chart(end_point)
        return lambda time: self._point(torch.lerp(start, end, time[..., None, None]))

    def _parallel_transport(self, tangent_vec: Tensor, base_point: Tensor, end_point: Tensor) -> Tensor:
        return self._moved_point(self._chart(end_point), self._moved_chart(base_point, tangent_vec))

    def _factors(self, points: Tensor) -> Tensor:
        return self._chart(points).flatten(1)

    def _pairwise_block(self, rows: Tensor, columns: Tensor) -> Tensor:
        return torch.cdist(rows, columns, compute_mode="donot_use_mm_for_euclid_dist")

    def _entries_of_pair(self, factors: Tensor) -> int:  # noqa: ARG002
        return 1
