"""Logarithm, exponential, square root and powers of symmetric positive definite matrices."""

import math
from numbers import Real

import torch
from torch import Tensor

from geolatent import _kernels
from geolatent._checks import require_floating, require_square
from geolatent.linalg.checks import require_positive, require_symmetric
from geolatent.linalg.matrix_function import matrix_function
from geolatent.linalg.scalar_functions import Exponential, Logarithm, Power, ScalarFunction, SquareRoot


def spd_log(S: Tensor) -> Tensor:
    r"""Principal logarithm of symmetric positive definite matrices.

    .. math:: \log S = V \operatorname{diag}(\log \lambda_i) V^T, \qquad S = V \operatorname{diag}(\lambda_i) V^T

    Differentiable twice, also where eigenvalues are repeated.

    Args:
        S: symmetric positive definite matrices, shape (..., d, d). float16 and bfloat16 are computed in float32.

    Returns:
        Symmetric matrices, shape (..., d, d).

    Raises:
        TypeError: if S is not real floating point.
        ValueError: if S is not square, not finite, not symmetric or not positive definite; names the batch index.

    Accuracy:
        Absolute error in the 2-norm at most :math:`20 \, d \, \epsilon \, (\kappa(S) + \|\log S\|_2)`, kappa the
        condition and eps the unit roundoff of the dtype.

    Source:
        [higham2008functions]; derivatives [bhatia1997matrix], theorem V.3.3.

    >>> spd_log(torch.diag(torch.tensor([1.0, 2.0])))
    tensor([[0.0000, 0.0000],
            [0.0000, 0.6931]])
    """
    return _of_positive(Logarithm(), "S", S)


def spd_exp(X: Tensor) -> Tensor:
    r"""Exponential of symmetric matrices, which is symmetric positive definite.

    .. math:: e^X = V \operatorname{diag}(e^{x_i}) V^T, \qquad X = V \operatorname{diag}(x_i) V^T

    Differentiable twice, also where eigenvalues are repeated.

    Args:
        X: symmetric matrices, shape (..., d, d). float16 and bfloat16 are computed in float32.

    Returns:
        Symmetric positive definite matrices, shape (..., d, d).

    Raises:
        TypeError: if X is not real floating point.
        ValueError: if X is not square, not finite or not symmetric; names the batch index.

    Accuracy:
        Error in the 2-norm at most :math:`20 \, d \, \epsilon \, (1 + \|X\|_2) \, \|e^X\|_2`.

    Source:
        [higham2008functions]; derivatives [bhatia1997matrix], theorem V.3.3.

    >>> spd_exp(torch.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    _require_symmetric("X", X)
    result, _ = matrix_function(Exponential(), _widened(X))
    return result.to(X.dtype)


def spd_sqrt(S: Tensor) -> Tensor:
    r"""Square root of symmetric positive definite matrices, itself symmetric positive definite.

    .. math:: S^{1/2} = V \operatorname{diag}(\sqrt{\lambda_i}) V^T, \qquad S = V \operatorname{diag}(\lambda_i) V^T

    Differentiable twice, also where eigenvalues are repeated.

    Args:
        S: symmetric positive definite matrices, shape (..., d, d). float16 and bfloat16 are computed in float32.

    Returns:
        Symmetric positive definite matrices, shape (..., d, d).

    Raises:
        TypeError: if S is not real floating point.
        ValueError: if S is not square, not finite, not symmetric or not positive definite; names the batch index.

    Accuracy:
        Error in the 2-norm at most :math:`20 \, d \, \epsilon \, \kappa(S)^{1/2} \, \|S\|_2^{1/2}`.

    Source:
        [higham2008functions]; derivatives [bhatia1997matrix], theorem V.3.3.

    >>> spd_sqrt(torch.diag(torch.tensor([1.0, 4.0])))
    tensor([[1., 0.],
            [0., 2.]])
    """
    return _of_positive(SquareRoot(), "S", S)


def spd_power(S: Tensor, exponent: float) -> Tensor:
    r"""Real power of symmetric positive definite matrices.

    .. math:: S^p = V \operatorname{diag}(\lambda_i^p) V^T, \qquad S = V \operatorname{diag}(\lambda_i) V^T

    Differentiable twice in S, also where eigenvalues are repeated.

    Args:
        S: symmetric positive definite matrices, shape (..., d, d). float16 and bfloat16 are computed in float32.
        exponent: the power p, any finite real number.

    Returns:
        Symmetric positive definite matrices, shape (..., d, d).

    Raises:
        TypeError: if S is not real floating point, or the exponent no real number.
        ValueError: if S is not square, not finite, not symmetric or not positive definite, naming the batch index, or
            the exponent is not finite.

    Accuracy:
        Error in the 2-norm at most :math:`20 \, d \, \epsilon \, (1 + |p|) \, \kappa(S) \, \|S^p\|_2`.

    Source:
        [higham2008functions]; derivatives [bhatia1997matrix], theorem V.3.3.

    >>> spd_power(torch.diag(torch.tensor([1.0, 4.0])), -0.5)
    tensor([[1.0000, 0.0000],
            [0.0000, 0.5000]])
    """
    if not isinstance(exponent, Real):
        raise TypeError(f"exponent must be a real number; got {type(exponent).__name__}: call float() on it")
    if not math.isfinite(exponent):
        raise ValueError(f"exponent must be finite; got {float(exponent)}: clamp it")
    return _of_positive(Power(float(exponent)), "S", S)


def _of_positive(function: ScalarFunction, name: str, matrix: Tensor) -> Tensor:
    _require_symmetric(name, matrix)
    result, values = matrix_function(function, _widened(matrix))
    if not _kernels.transformed(matrix):
        require_positive(name, values)
    return result.to(matrix.dtype)


def _require_symmetric(name: str, matrix: Tensor) -> None:
    require_floating(name, matrix)
    require_square(name, matrix)
    if not _kernels.transformed(matrix):
        require_symmetric(name, matrix)


def _widened(matrix: Tensor) -> Tensor:
    return matrix.float() if matrix.dtype in (torch.float16, torch.bfloat16) else matrix
