"""What the manifolds of symmetric positive definite matrices share: their points, whatever the metric."""

from typing import Any

import torch
from torch import Tensor

from geolatent.manifolds.arguments import require_shape
from geolatent.manifolds.base import Manifold
from geolatent.manifolds.checks import covariance_belongs, require_covariance


class PositiveDefinite(Manifold[Tensor]):
    """Symmetric positive definite matrices of size p, without a metric; a base class."""

    event_ndims = (2,)

    def __init__(self, p: int) -> None:
        self.p = require_size("p", p, "the number of rows of the matrices")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.p})"

    def _as_point(self, name: str, value: Any) -> Tensor:
        return require_shape(name, value, (self.p, self.p), f"use {type(self).__name__}(p) with p the matrices' size")

    def _check_point(self, name: str, point: Tensor) -> None:
        require_covariance(name, point)

    def _belongs(self, point: Tensor) -> Tensor:
        return covariance_belongs(point)

    def _random_point(
        self, batch_shape: tuple[int, ...], generator: torch.Generator | None, dtype: torch.dtype, device: Any
    ) -> Tensor:
        return random_psd(batch_shape, self.p, self.p, generator, dtype, device)


def require_size(name: str, value: Any, meaning: str) -> int:
    """Return ``value``; raise ValueError unless it is a positive integer."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} must be a positive integer; got {value!r}: it is {meaning}")
    return value


def random_psd(
    batch_shape: tuple[int, ...], p: int, rank: int, generator: torch.Generator | None, dtype: torch.dtype, device: Any
) -> Tensor:
    """Random matrices of size p: uniform range of dimension ``rank``, log-normal eigenvalues."""

    def normal(*shape: int) -> Tensor:
        return torch.randn(*batch_shape, *shape, generator=generator, dtype=dtype, device=device)

    frame = torch.linalg.qr(normal(p, rank)).Q * normal(1, rank).mul(0.5).exp()
    return frame @ frame.mT
