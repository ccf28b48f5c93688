"""From a latent tensor to a point on a product of manifolds of positive semidefinite matrices."""

import torch
from torch import Tensor

from geolatent._checks import require_floating


def tensor_to_spsd(Z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    r"""Covariances of the three unfoldings of tensors.

    .. math:: S_k = \frac{1}{n_k - 1} \sum_{j=1}^{n_k} (a_j - \bar a)(a_j - \bar a)^\top

    where :math:`a_1, \dots, a_{n_k}` are the columns of the unfolding along mode k: :math:`h \times wc`,
    :math:`w \times hc` and :math:`c \times hw`. S_k has rank at most :math:`n_k - 1`.

    Give tensors of a float32 network as float64 (``Z.double()``) if ranks are wanted: rounding in S then stays far
    below the resolution of the data.

    Args:
        Z: tensors, shape (..., h, w, c), channels last; codes of shape (..., c, h, w) as ``Z.movedim(-3, -1)``. float16
            and bfloat16 are computed in float32.

    Returns:
        S1 (..., h, h), S2 (..., w, w) and S3 (..., c, c), symmetric positive semidefinite.

    Raises:
        TypeError: if Z is not real floating point.
        ValueError: if Z has fewer than three dimensions, holds NaN or infinity, or an unfolding has one column only.

    Accuracy:
        Relative error at most :math:`20 \, n_k \, \epsilon` in norm, eps the unit roundoff of the dtype.

    Source:
        [shrivastava2024latent]; unfoldings as points of a product manifold, [lui2010action].

    >>> S1, S2, S3 = tensor_to_spsd(torch.rand(300, 7, 7, 128))
    >>> S1.shape, S2.shape, S3.shape
    (torch.Size([300, 7, 7]), torch.Size([300, 7, 7]), torch.Size([300, 128, 128]))
    """
    require_floating("Z", Z)
    if Z.ndim < 3:
        raise ValueError(f"Z must have shape (..., h, w, c); got {tuple(Z.shape)}: it holds tensors of three modes")
    h, w, c = Z.shape[-3:]
    if min(w * c, h * c, h * w) < 2:
        raise ValueError(
            f"Z must have two columns in every unfolding; got h, w, c = {h}, {w}, {c}: one has no variance"
        )
    if not bool(Z.detach().isfinite().all()):
        index = tuple((~Z.detach().isfinite()).nonzero()[0].tolist())
        raise ValueError(f"Z must be finite; entry {index} is {Z[index].item()}: drop that sample")
    wide = Z.float() if Z.dtype in (torch.float16, torch.bfloat16) else Z
    first, second, third = (_covariance(wide.movedim(mode, -3).flatten(-2)) for mode in (-3, -2, -1))
    return first.to(Z.dtype), second.to(Z.dtype), third.to(Z.dtype)


def _covariance(unfolding: Tensor) -> Tensor:
    centred = unfolding - unfolding.mean(-1, keepdim=True)
    product = centred @ centred.mT / (unfolding.shape[-1] - 1)
    return (product + product.mT) / 2
