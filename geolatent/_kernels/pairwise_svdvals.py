"""The compiled singular values of all products of two sets of small matrices."""

import torch
from torch import Tensor

from geolatent import _kernels

_LARGEST = 48  # beyond, LAPACK is about as fast


def serves(left: Tensor, right: Tensor) -> bool:
    """Whether the kernel takes these matrices."""
    sizes = left.shape[-2], right.shape[-1]
    return _kernels.usable(left, right) and min(sizes) >= 1 and max(sizes) <= _LARGEST and right.shape[-2] >= 1


def pairwise_svdvals(left: Tensor, right: Tensor, *, above_diagonal: bool) -> Tensor:
    """Singular values of all products left[i] @ right[j], in no particular order.

    Args:
        left: matrices, shape (N, n, q), of the floating type of ``right``.
        right: matrices, shape (M, q, m).
        above_diagonal: whether only the pairs j > i are wanted; the values of the others are 1 or right.

    Returns:
        Singular values, shape (N, M, min(n, m)); NaN where the iteration did not converge.
    """
    if left.shape[-2] < right.shape[-1]:
        return pairwise_svdvals(right.mT, left.mT, above_diagonal=False).transpose(0, 1)
    left, right = left.contiguous(), right.contiguous()
    out = (torch.ones if above_diagonal else torch.empty)(len(left), len(right), right.shape[-1], dtype=left.dtype)
    addresses = left.data_ptr(), right.data_ptr(), out.data_ptr()
    sizes = *out.shape[:2], *left.shape[1:], right.shape[-1]
    _kernels.launch("pairwise_svdvals", left.dtype, *addresses, *sizes, above_diagonal)
    return out
