"""Arguments of a manifold's methods, made ready for its formulas."""

from functools import reduce
from typing import Any

import torch
from torch import Tensor

from geolatent import _kernels
from geolatent._checks import require_floating, require_same_device
from geolatent.manifolds.checks import require_finite
from geolatent.manifolds.components import batch_shape, broadcast, cast, components, expand
from geolatent.manifolds.formulas import Formulas
from geolatent.manifolds.points import DiagonalGaussian, Gaussian


def prepare(
    manifold: Formulas[Any], points: dict[str, Any], tangents: dict[str, Any] | None = None, *, broadcast: bool = True
) -> tuple[list[Any], torch.dtype]:
    """Convert and check arguments.

    Args:
        manifold: the manifold that they belong to.
        points: points by parameter name.
        tangents: tangent vectors by parameter name.
        broadcast: whether all batch shapes must broadcast.

    Returns:
        The points and then the vectors, of one floating type to compute in, and the type that the result has.
    """
    converted = {name: manifold._as_point(name, value) for name, value in points.items()}
    converted |= {name: manifold._as_tangent(name, value) for name, value in (tangents or {}).items()}
    tensors = [tensor for value in converted.values() for tensor in components(value)]
    require_same_device(**{name: components(value)[0] for name, value in converted.items()})
    shapes = {name: _batch_shape(name, value, manifold.event_ndims) for name, value in converted.items()}
    if broadcast:
        _require_broadcast(shapes)
    dtype = reduce(torch.promote_types, (tensor.dtype for tensor in tensors))
    compute = torch.float32 if dtype in (torch.float16, torch.bfloat16) else dtype
    values = {name: cast(compute, expand(value, manifold.event_ndims)) for name, value in converted.items()}
    if not _kernels.transformed(*tensors):
        for name in points:
            manifold._check_point(name, values[name])
        for name in tangents or {}:
            require_finite(name, values[name], manifold.event_ndims)
    return list(values.values()), dtype


def require_components(name: str, value: Any, kind: type[DiagonalGaussian] | type[Gaussian], requirement: str) -> None:
    """Raise TypeError unless ``value`` is a ``kind``, a named tuple, of floating-point tensors of one device."""
    if not isinstance(value, kind):
        raise TypeError(
            f"{name} must be {requirement}; got {type(value).__name__}: wrap the parameters in one of these"
        )
    parts = {f"{name}.{field}": part for field, part in zip(value._fields, value, strict=True)}
    for part_name, part in parts.items():
        require_floating(part_name, part)
    require_same_device(**parts)


def require_shape(name: str, value: Any, shape: tuple[int, ...], remedy: str) -> Tensor:
    """Return ``value``; raise TypeError or ValueError unless it is a floating-point tensor (..., *shape)."""
    require_floating(name, value)
    tensor: Tensor = value
    if tuple(tensor.shape[-len(shape) :]) != shape:
        wanted = ", ".join(map(str, shape))
        raise ValueError(f"{name} must have shape (..., {wanted}); got {tuple(tensor.shape)}: {remedy}")
    return tensor


def _batch_shape(name: str, value: Any, event_ndims: tuple[int, ...]) -> tuple[int, ...]:
    try:
        return batch_shape(value, event_ndims)
    except RuntimeError:
        shapes = [tuple(x.shape[: x.ndim - ndim]) for x, ndim in zip(components(value), event_ndims, strict=True)]
        came = ", ".join(map(str, shapes))
        raise ValueError(
            f"{name} must have components of one batch shape; got {came}: give each as many points"
        ) from None


def _require_broadcast(shapes: dict[str, tuple[int, ...]]) -> None:
    try:
        broadcast(*shapes.values())
    except RuntimeError:
        came = ", ".join(f"{name} of batch shape {shape}" for name, shape in shapes.items())
        raise ValueError(
            f"{', '.join(shapes)} must have batch shapes that broadcast; got {came}: insert dimensions of size 1, or "
            "use pairwise_dist for all pairs"
        ) from None
