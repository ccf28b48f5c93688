"""Eigenvalues and eigenvectors of batches of small symmetric matrices."""

import torch
from torch import Tensor

from geolatent import _kernels
from geolatent._checks import require_floating, require_square
from geolatent._kernels import eigh as kernel


def eigh(A: Tensor) -> tuple[Tensor, Tensor]:
    r"""Eigenvalues and orthonormal eigenvectors of real symmetric matrices, in ascending order.

    .. math:: A = V \operatorname{diag}(\lambda) V^T, \qquad V^T V = I, \qquad \lambda_1 \le \dots \le \lambda_d

    Args:
        A: symmetric matrices, shape (..., d, d), any strides; only the lower triangle is read, as by torch.linalg.eigh.
            A matrix that holds NaN or infinity there gives NaN for itself alone. float16 and bfloat16 are computed in
            float32.

    Returns:
        Eigenvalues, shape (..., d), and eigenvectors as columns, shape (..., d, d), in the dtype of A. The sign of an
        eigenvector is arbitrary, and so is the basis where eigenvalues are repeated.

    Raises:
        TypeError: if A is not real floating point.
        ValueError: if A is not square.

    Accuracy:
        :math:`\|A V - V \Lambda\|_2 \le 20 \, d \, \epsilon \, \|A\|_2` and
        :math:`\|V^T V - I\|_2 \le 20 \, d \, \epsilon`, eps the unit roundoff of the dtype. The gradient of
        eigenvectors divides by the gaps between eigenvalues; for a function of the matrix, such as spd_log, take that
        function, which has derivatives at repeated eigenvalues.

    Source:
        Householder reduction and implicit QR, [golub2013matrix]; gradient [magnus1985differentiating].

    >>> eigh(torch.diag(torch.tensor([3.0, 1.0])))[0]
    tensor([1., 3.])
    """
    matrices = _prepared(A)
    values, vectors = kernel.lapack_eigh(matrices) if _kernels.transformed(A) else kernel.eigh(matrices)
    return values.to(A.dtype), vectors.to(A.dtype)


def eigvalsh(A: Tensor) -> Tensor:
    r"""Eigenvalues of real symmetric matrices, in ascending order.

    .. math:: \det(A - \lambda_i I) = 0, \qquad \lambda_1 \le \dots \le \lambda_d

    Args:
        A: symmetric matrices, shape (..., d, d), any strides; only the lower triangle is read, as by
            torch.linalg.eigvalsh. A matrix that holds NaN or infinity there gives NaN for itself alone. float16 and
            bfloat16 are computed in float32.

    Returns:
        Eigenvalues, shape (..., d), in the dtype of A.

    Raises:
        TypeError: if A is not real floating point.
        ValueError: if A is not square.

    Accuracy:
        Absolute error at most :math:`20 \, d \, \epsilon \, \|A\|_2`, eps the unit roundoff of the dtype.

    Source:
        Householder reduction and implicit QR, [golub2013matrix]; gradient [magnus1985differentiating].

    >>> eigvalsh(torch.diag(torch.tensor([3.0, 1.0])))
    tensor([1., 3.])
    """
    matrices = _prepared(A)
    values = kernel.lapack_eigvalsh(matrices) if _kernels.transformed(A) else kernel.eigvalsh(matrices)
    return values.to(A.dtype)


def _prepared(A: Tensor) -> Tensor:
    require_floating("A", A)
    require_square("A", A)
    return A.float() if A.dtype in (torch.float16, torch.bfloat16) else A
