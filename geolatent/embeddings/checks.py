"""Checks of kernels, squared distances and matrices; errors name what is wrong, where, and the remedy."""

from numbers import Real

import torch
from torch import Tensor

from geolatent._checks import first_of, require_floating

_ROUNDING = 64  # roundings, relative to the largest entry, by which a matrix may differ from a symmetric one


def require_squared_dist(name: str, squared_dist: Tensor) -> None:
    """Raise unless ``squared_dist`` holds the squared distances (n, n) of at least two points to each other."""
    require_symmetric_table(name, squared_dist)
    require_distances(name, squared_dist)
    diagonal = squared_dist.detach().diagonal().abs()
    bad = diagonal > _slack(squared_dist)
    if bad.any():
        raise ValueError(
            f"{name} must have a zero diagonal; {first_of(bad, 'entry')} of the diagonal is "
            f"{diagonal[bad][0].item():.3g}: give squared distances, not a kernel or similarities"
        )


def require_symmetric_table(name: str, table: Tensor) -> None:
    """Raise unless ``table`` is a finite symmetric matrix (n, n) with n at least 2."""
    require_floating(name, table)
    if table.ndim != 2 or table.shape[0] != table.shape[1]:
        raise ValueError(f"{name} must have shape (n, n); got {tuple(table.shape)}: one row and one column a point")
    if len(table) < 2:
        raise ValueError(f"{name} must hold at least two points; got {len(table)}: one point has no geometry")
    require_finite_table(name, table)
    difference = (table - table.mT).detach().abs()
    bad = difference > _slack(table)
    if bad.any():
        i, j = bad.nonzero()[0].tolist()
        raise ValueError(
            f"{name} must be symmetric; entries ({i}, {j}) and ({j}, {i}) differ by {difference[i, j].item():.3g}: "
            f"use ({name} + {name}.T) / 2 if that is rounding"
        )


def require_distances(name: str, squared_dist: Tensor) -> None:
    """Raise unless all entries of a matrix (m, n) are finite and not negative, up to rounding."""
    require_floating(name, squared_dist)
    require_finite_table(name, squared_dist)
    if squared_dist.numel() == 0:
        raise ValueError(f"{name} must hold at least one distance; got shape {tuple(squared_dist.shape)}: leave it out")
    bad = squared_dist.detach() < -_slack(squared_dist)
    if bad.any():
        i, j = bad.nonzero()[0].tolist()
        raise ValueError(
            f"{name} must not be negative; entry ({i}, {j}) is {squared_dist[i, j].item():.3g}: give squared distances"
        )


def require_finite_table(name: str, table: Tensor) -> None:
    """Raise ValueError, naming the entry, if a matrix (m, n) holds NaN or infinity."""
    if table.ndim != 2:
        raise ValueError(f"{name} must have shape (m, n); got {tuple(table.shape)}: one row a point")
    bad = ~table.detach().isfinite()
    if bad.any():
        i, j = bad.nonzero()[0].tolist()
        raise ValueError(f"{name} must be finite; entry ({i}, {j}) is {table[i, j].item()}: drop that point")


def require_threshold(threshold: float) -> None:
    """Raise unless ``threshold`` is a number, 0 < threshold <= 1."""
    if not isinstance(threshold, Real):
        raise TypeError(f"threshold must be a real number; got {threshold!r}: 0.95 keeps 95 %")
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold must lie in (0, 1]; got {threshold}: it is a share of the positive spectrum")


def _slack(table: Tensor) -> Tensor:
    return _ROUNDING * torch.finfo(table.dtype).eps * table.detach().abs().amax()
