"""Singular values of batches of small matrices."""

import torch
from torch import Tensor

from geolatent import _kernels
from geolatent._checks import require_floating
from geolatent._kernels import svdvals as kernel


def svdvals(A: Tensor) -> Tensor:
    r"""Singular values of real matrices, in descending order.

    .. math:: A = U \operatorname{diag}(\sigma) V^T, \qquad \sigma_1 \ge \dots \ge \sigma_{\min(m, n)} \ge 0

    Up to 48 columns or rows of up to 64 entries a batch runs through the compiled kernel, one matrix to a SIMD lane; a
    matrix's result depends on nothing else in the batch.

    Args:
        A: real matrices, shape (..., m, n), any strides. A matrix that holds NaN or infinity gives NaN for itself
            alone. float16 and bfloat16 are computed in float32.

    Returns:
        Singular values, shape (..., min(m, n)), in the dtype of A.

    Raises:
        TypeError: if A is not real floating point.
        ValueError: if A has fewer than two dimensions.

    Accuracy:
        Absolute error at most :math:`20 \, \max(m, n) \, \epsilon \, \|A\|_2`, eps the unit roundoff of the dtype.

    Source:
        Up to 6 columns or rows one-sided Jacobi rotations, [demmel1992jacobi]; beyond, Householder reduction to
        bidiagonal form and implicit QR, [golub2013matrix]. Gradient as of torch.linalg.svdvals.

    >>> svdvals(torch.tensor([[3.0, 0.0], [4.0, 0.0]]))
    tensor([5., 0.])
    """
    require_floating("A", A)
    if A.ndim < 2:
        raise ValueError(f"A must have shape (..., m, n); got {tuple(A.shape)}: put batch dimensions first")
    matrices = A.float() if A.dtype in (torch.float16, torch.bfloat16) else A
    values = kernel.lapack_svdvals(matrices) if _kernels.transformed(A) else kernel.svdvals(matrices)
    return values.to(A.dtype)
