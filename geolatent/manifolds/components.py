"""Points as tuples of tensors: their components and batch shape, and functions applied component by component."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def components(point: Any) -> tuple[Tensor, ...]:
    """Return the tensors of a point, left to right: of a tensor itself, of a tuple those of its entries."""
    return (point,) if isinstance(point, Tensor) else tuple(tensor for part in point for tensor in components(part))


def map_components(function: Callable[..., Tensor], point: Any, *others: Any) -> Any:
    """Apply ``function`` to the corresponding tensors of points of one structure."""
    if isinstance(point, Tensor):
        return function(point, *others)
    parts = [map_components(function, *entries) for entries in zip(point, *others, strict=True)]
    return type(point)(*parts) if hasattr(point, "_fields") else tuple(parts)


def broadcast(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape that shapes broadcast to; torch's own function is slow where they are all the same."""
    if all(shape == shapes[0] for shape in shapes):
        return tuple(shapes[0])
    return tuple(torch.broadcast_shapes(*shapes))


def batch_shape(point: Any, event_ndims: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape that the components' batch dimensions broadcast to."""
    parts = zip(components(point), event_ndims, strict=True)
    return broadcast(*(tensor.shape[: tensor.ndim - ndim] for tensor, ndim in parts))


def cast(dtype: torch.dtype, point: Any) -> Any:
    """Return the point with components of ``dtype``."""
    return map_components(lambda tensor: tensor.to(dtype), point)


def expand(point: Any, event_ndims: tuple[int, ...]) -> Any:
    """Return the point with every component expanded to the batch shape."""
    shape, ndims = batch_shape(point, event_ndims), iter(event_ndims)
    return map_components(lambda tensor: tensor.expand(shape + tensor.shape[tensor.ndim - next(ndims) :]), point)


def scaled(tangent_vec: Any, factor: Tensor, event_ndims: tuple[int, ...]) -> Any:
    """Return ``factor`` times the tangent vectors, ``factor`` one number a vector."""
    ndims = iter(event_ndims)
    return map_components(lambda tensor: tensor * factor[(..., *[None] * next(ndims))], tangent_vec)
