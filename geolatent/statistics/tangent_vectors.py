"""Tangent vectors at one point as rows of a matrix, and the metric on them."""

from typing import Any

import torch
from torch import Tensor

from geolatent.manifolds import Manifold
from geolatent.manifolds.components import components, map_components


def as_rows(vectors: Any, event_ndims: tuple[int, ...]) -> Tensor:
    """Vectors of batch shape (N,) as a matrix (N, D): the components of each side by side."""
    parts = zip(components(vectors), event_ndims, strict=True)
    return torch.cat([tensor.flatten(1) if ndim else tensor[:, None] for tensor, ndim in parts], 1)


def from_rows(rows: Tensor, point: Any) -> Any:
    """The inverse of `as_rows`, for tangent vectors shaped like ``point``, one point without batch dimensions."""
    split = iter(rows.split([tensor.numel() for tensor in components(point)], 1))
    return map_components(
        lambda tensor: next(split).unflatten(1, tensor.shape) if tensor.ndim else next(split)[:, 0], point
    )


def lowered(manifold: Manifold[Any], vectors: Any, base_point: Any) -> Tensor:
    """Rows (N, D) whose plain products with the rows of vectors are the metric's inner products at ``base_point``.

    The inner product is linear in its first argument: its gradient there is the row.
    """
    with torch.enable_grad():
        free = map_components(lambda x: x.detach().clone().requires_grad_(), vectors)
        fixed, base = (map_components(torch.Tensor.detach, x) for x in (vectors, base_point))
        total = manifold.inner_product(free, fixed, base).sum()
        gradients = iter(torch.autograd.grad(total, components(free), allow_unused=True, materialize_grads=True))
    return as_rows(map_components(lambda _: next(gradients), free), manifold.event_ndims)
