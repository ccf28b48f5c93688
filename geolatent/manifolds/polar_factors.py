r"""Polar factors of many small matrices at once, from eigenvectors of their Gram matrices."""

import torch
from torch import Tensor

from geolatent.linalg import eigh

_BEYOND = 2.0  # an eigenvalue that no squared cosine has


def rotations(product: Tensor, counted: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    r"""Polar factors :math:`Z = (M M^T)^{-1/2} M` of products M of orthonormal bases.

    With :math:`M M^T = W \Sigma^2 W^T` and the rows of :math:`W^T M` brought to unit length, Y, the factor is near to
    W Y. The rows are as far from orthogonal as the squares lost digits, :math:`E = Y Y^T - I`, and to first order

    .. math:: W^T Z = Y - C Y, \qquad C_{ij} = \frac{\sigma_j}{\sigma_i + \sigma_j} E_{ij},

    which makes :math:`M Z^T` symmetric. Where what it leaves, of the order of :math:`E^2`, is more than the rounding of
    M does to Z, :math:`\epsilon / \sigma_{\min}`, a singular value decomposition takes its place.

    Args:
        product: M, shape (..., k, l), of rank at most k; rows that are not counted are zero.
        counted: which rows count, the first ones, bool, shape (..., k).

    Returns:
        Z, shape (..., k, l); the singular values of M, shape (..., k), zero where not counted; and whether one of those
        that count is zero but for rounding, so that Z is not unique, shape (...).
    """
    eps = torch.finfo(product.dtype).eps
    gram = product @ product.mT
    gram.diagonal(dim1=-2, dim2=-1).masked_fill_(~counted, _BEYOND)
    vectors = eigh(gram)[1]
    frame = vectors.mT @ product
    cosines = torch.where(counted, torch.linalg.vector_norm(frame, dim=-1), 0.0)
    frame *= torch.where(cosines > 0, 1 / cosines, 0.0).unsqueeze(-1)
    oblique = frame @ frame.mT
    oblique.diagonal(dim1=-2, dim2=-1).zero_()
    left = torch.linalg.vector_norm(oblique, ord=torch.inf, dim=(-1, -2)).square()
    sizes = cosines.clamp_min(torch.finfo(cosines.dtype).tiny)
    oblique *= sizes.unsqueeze(-2) / (sizes.unsqueeze(-1) + sizes.unsqueeze(-2))
    rotation = vectors @ (frame - oblique @ frame)
    least = torch.where(counted, cosines, 1.0).amin(-1)
    rough = left * least > eps
    if rough.any():
        inside = counted[rough]
        columns, values, rows = torch.linalg.svd(product[rough])
        rotation[rough] = (columns * inside.unsqueeze(-2)) @ rows
        cosines[rough] = torch.where(inside, values, 0.0)
        least[rough] = torch.where(inside, values, 1.0).amin(-1)
    return rotation, cosines, least <= 4 * eps
