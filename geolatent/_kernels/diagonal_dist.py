"""The compiled Fisher-Rao distance between Gaussians of diagonal covariance."""

import torch
from torch import Tensor

from geolatent._kernels import launch


def pair_by_pair(loc: Tensor, scale: Tensor, other_loc: Tensor, other_scale: Tensor, *, squared: bool) -> Tensor:
    """Distances of points (..., n), or their squares; all four have one floating type, and the points broadcast."""
    shape = torch.broadcast_shapes(loc.shape, other_loc.shape)
    points = [tensor.expand(shape).contiguous() for tensor in (loc, scale, other_loc, other_scale)]
    out = loc.new_empty(shape[:-1])
    addresses = [tensor.data_ptr() for tensor in (*points, out)]
    launch("diagonal_pairs", out.dtype, *addresses, out.numel(), shape[-1], squared)
    return out


def all_pairs(loc: Tensor, scale: Tensor, other_loc: Tensor, other_scale: Tensor) -> Tensor:
    """Distances (N, M) of points (N, n) to points (M, n)."""
    points = [loc.contiguous(), scale.contiguous(), other_loc.mT.contiguous(), other_scale.mT.contiguous()]
    out = loc.new_empty(len(loc), len(other_loc))
    addresses = [tensor.data_ptr() for tensor in (*points, out)]
    launch("diagonal_table", out.dtype, *addresses, *out.shape, loc.shape[-1])
    return out
