"""Compiled sums over the singular values of all products of two sets of small matrices."""

from enum import IntEnum

import torch
from torch import Tensor

from geolatent import _kernels

_LARGEST = 48  # beyond, LAPACK is about as fast


class Sum(IntEnum):
    """What is summed over the singular values of a product, numbered as in csrc/kernels.hpp."""

    SQUARED_LOGS = 0
    VALUES = 1
    SQUARED_ANGLES = 2  # arc cosines, of numbers above 1 that of 1


def serves(left: Tensor, right: Tensor) -> bool:
    """Whether the kernel takes these matrices."""
    sizes = left.shape[-2], right.shape[-1]
    return _kernels.usable(left, right) and min(sizes) >= 1 and max(sizes) <= _LARGEST and right.shape[-2] >= 1


def sums(left: Tensor, right: Tensor, of: Sum, *, above_diagonal: bool) -> Tensor:
    """Sums over the singular values of all products left[i] @ right[j].

    Args:
        left: matrices, shape (N, n, q), of the floating type of ``right``.
        right: matrices, shape (M, q, m).
        of: what is summed.
        above_diagonal: whether only the pairs j > i are wanted; the others are zero or right.

    Returns:
        Sums, shape (N, M); NaN where the iteration did not converge.
    """
    if left.shape[-2] < right.shape[-1]:
        return sums(right.mT, left.mT, of, above_diagonal=False).mT
    left, right = left.contiguous(), right.contiguous()
    out = (torch.zeros if above_diagonal else torch.empty)(len(left), len(right), dtype=left.dtype)
    addresses = left.data_ptr(), right.data_ptr(), out.data_ptr()
    sizes = *out.shape, *left.shape[1:], right.shape[-1]
    _kernels.launch("pairwise_svdvals", left.dtype, *addresses, *sizes, of, above_diagonal)
    return out
