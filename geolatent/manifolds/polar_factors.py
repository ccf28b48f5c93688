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
    k = product.shape[-1]
    gram = product @ product.mT + _BEYOND * torch.diag_embed((~counted).to(product.dtype))
    vectors = eigh(gram)[1]
    image = (vectors.mT @ product) * counted.unsqueeze(-1)
    sizes = torch.linalg.vector_norm(image, dim=-1)
    frame = image / torch.where(sizes > 0, sizes, 1.0).unsqueeze(-1)
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
    share = sizes.unsqueeze(-2) / (sizes.unsqueeze(-1) + sizes.unsqueeze(-2)).clamp_min(torch.finfo(sizes.dtype).tiny)
    return frame - (gap * share) @ frame, gap.abs().amax((-1, -2))
