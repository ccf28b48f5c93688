"""Eigenvalues of batches of small real matrices."""

import torch
from torch import Tensor

from geolatent import _kernels
from geolatent._checks import require_floating, require_square
from geolatent._kernels import eigvals as kernel


def eigvals(A: Tensor) -> Tensor:
    r"""Eigenvalues of real square matrices, by decreasing modulus.

    .. math:: \det(A - \lambda_i I) = 0, \qquad |\lambda_1| \ge |\lambda_2| \ge \dots \ge |\lambda_d|

    Equal moduli are ordered by larger real part, then by larger imaginary part, so that of a conjugate pair the one
    with positive imaginary part comes first. Up to d = 48 a batch runs through the compiled kernel, one matrix to a
    SIMD lane; a matrix's result depends on nothing else in the batch, on no order and on no thread count.

    Args:
        A: real matrices, shape (..., d, d), any strides. A matrix that holds NaN or infinity gives NaN for itself
            alone. float16 and bfloat16 are computed in float32.

    Returns:
        Eigenvalues, shape (..., d), complex128 for float64, complex64 otherwise. Conjugate pairs are exactly
        conjugate, and a real eigenvalue has imaginary part 0.

    Raises:
        TypeError: if A is not real floating point.
        ValueError: if A is not square.
        torch.linalg.LinAlgError: in backward, where eigenvalues are repeated to working precision; names the matrix.

    Accuracy:
        Backward stable: every eigenvalue of A + E with
        :math:`\sigma_{\min}(A - \lambda I) \le 20 \, d \, \epsilon \, \|A\|_2`, eps the unit roundoff of the dtype.

    Source:
        Francis double-shift QR, [golub2013matrix], section 7.5; balancing in the 2-norm, [james2014matrix]; gradient
        [magnus1985differentiating].

    >>> eigvals(torch.diag(torch.tensor([1.0, -3.0])))
    tensor([-3.+0.j,  1.+0.j])
    """
    require_floating("A", A)
    require_square("A", A)
    if A.dtype in (torch.float16, torch.bfloat16):
        A = A.float()
    return kernel.lapack_eigvals(A) if _kernels.transformed(A) else kernel.eigvals(A)
