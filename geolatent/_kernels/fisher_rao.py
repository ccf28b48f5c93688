"""The compiled solver of Fisher-Rao geodesics between Gaussians."""

import torch
from torch import Tensor

from geolatent._kernels import launch


def solve(loc: Tensor, covariance: Tensor, other_loc: Tensor, other_covariance: Tensor) -> tuple[Tensor, ...]:
    """Squared distances, velocities (loc, covariance), residuals and iterations of pairs (count, n), float64.

    Means have shape (count, n), covariances (count, n, n); all four are contiguous.
    """
    squared_dist, residual, iterations = (loc.new_empty(len(loc)) for _ in range(3))
    velocity_loc, velocity_covariance = torch.empty_like(loc), torch.empty_like(covariance)
    results = (squared_dist, residual, iterations, velocity_loc, velocity_covariance)
    _launch((loc, covariance, other_loc, other_covariance), (None, None, *results))
    return squared_dist, velocity_loc, velocity_covariance, residual, iterations


def bounds(loc: Tensor, covariance: Tensor, other_loc: Tensor, other_covariance: Tensor) -> tuple[Tensor, Tensor]:
    """Lower and upper bounds of the squared distances, of the same pairs."""
    lower, upper = loc.new_empty(len(loc)), loc.new_empty(len(loc))
    _launch((loc, covariance, other_loc, other_covariance), (lower, upper, None, None, None, None, None))
    return lower, upper


def _launch(pairs: tuple[Tensor, ...], results: tuple[Tensor | None, ...]) -> None:
    addresses = [tensor.data_ptr() for tensor in pairs]
    addresses += [0 if tensor is None else tensor.data_ptr() for tensor in results]
    launch("fisher_rao", torch.float64, *addresses, *pairs[0].shape)
