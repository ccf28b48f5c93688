r"""Polar factors of many small matrices at once, from eigenvectors of their Gram matrices."""

import torch
from torch import Tensor

from geolatent.linalg import eigh

_CORRECTIONS = 4
_BEYOND = 2.0  # an eigenvalue that no squared cosine has


def rotations(product: Tensor, counted: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    r"""Polar factors :math:`Z = (M M^T)^{-1/2} M` of products M of orthonormal bases.

    With :math:`M M^T = W \Sigma^2 W^T` and the rows of :math:`W^T M` brought to unit length, Y, the factor is near to
    W Y. The rows are as far from orthogonal as the squares lost digits, :math:`E = Y Y^T - I`, and to first order

    .. math:: W^T Z = Y - C Y, \qquad C_{ij} = \frac{\sigma_j}{\sigma_i + \sigma_j} E_{ij},

    which makes :math:`M Z^T` symmetric. What a step leaves is of the order of :math:`E^2`.

    Args:
        product: M, shape (..., k, l), of rank at most k; rows that are not counted are zero.
        counted: which rows count, the first ones, bool, shape (..., k).

    Returns:
        Z, shape (..., k, l); the singular values of M in ascending order, shape (..., k), zero where not counted; and
        whether a singular value was too small for digits of Z to be left, shape (...).
    """
    gram = product @ product.mT
    gram.diagonal(dim1=-2, dim2=-1).masked_fill_(~counted, _BEYOND)
    vectors = eigh(gram)[1]
    frame = vectors.mT @ product
    sizes = torch.where(counted, torch.linalg.vector_norm(frame, dim=-1), 0.0)
    frame *= torch.where(sizes > 0, 1 / sizes, 0.0).unsqueeze(-1)
    frame, off = _corrected(frame, sizes)
    tolerance = torch.finfo(product.dtype).eps ** 0.5
    for _ in range(_CORRECTIONS):
        again = off > tolerance
        if not again.any():
            break
        frame[again], off[again] = _corrected(frame[again], sizes[again])
    return vectors @ frame, sizes, (off > tolerance) | (counted & (sizes == 0)).any(-1)


def _corrected(frame: Tensor, sizes: Tensor) -> tuple[Tensor, Tensor]:
    """Y - C Y, and the largest entry of E before."""
    gap = frame @ frame.mT
    gap.diagonal(dim1=-1, dim2=-2).zero_()
    off = torch.linalg.vector_norm(gap, ord=torch.inf, dim=(-1, -2))
    sizes = sizes.clamp_min(torch.finfo(sizes.dtype).tiny)
    gap *= sizes.unsqueeze(-2) / (sizes.unsqueeze(-1) + sizes.unsqueeze(-2))
    return frame - gap @ frame, off
