"""A vector space with a constant metric: what is known of it from linear algebra holds for every manifold's methods."""

from typing import Any

import torch
from torch import Tensor

from geolatent.manifolds import Manifold
from geolatent.manifolds.checks import require_finite


class Flat(Manifold[Tensor]):
    """Vectors x of n entries with the inner product u' G v."""

    event_ndims = (1,)

    def __init__(self, metric: Tensor) -> None:
        self.metric = metric

    def _as_point(self, name: str, value: Any) -> Tensor:
        assert value.shape[-1] == len(self.metric)
        return value

    def _check_point(self, name: str, point: Tensor) -> None:
        require_finite(name, point, (1,))

    def _belongs(self, point: Tensor) -> Tensor:
        return point.isfinite().all(-1)

    def _squared_dist(self, point_a: Tensor, point_b: Tensor) -> Tensor:
        return self._inner_product(point_a - point_b, point_a - point_b, point_a)

    def _inner_product(self, u: Tensor, v: Tensor, base_point: Tensor) -> Tensor:
        return (u @ self.metric.to(u) * v).sum(-1)

    def _exp(self, tangent_vec: Tensor, base_point: Tensor) -> Tensor:
        return base_point + tangent_vec

    def _log(self, point: Tensor, base_point: Tensor) -> Tensor:
        return point - base_point

    def _parallel_transport(self, tangent_vec: Tensor, base_point: Tensor, end_point: Tensor) -> Tensor:
        return tangent_vec

    def _random_point(self, batch_shape: Any, generator: Any, dtype: Any, device: Any) -> Tensor:
        return torch.randn(*batch_shape, len(self.metric), generator=generator, dtype=dtype, device=device)
