"""A Hilbert distance on positive semidefinite matrices of any ranks, whose kernels are positive semidefinite."""

import math
from numbers import Real

import torch
from torch import Tensor

from geolatent._checks import first_of, require_floating, require_same_device, require_square
from geolatent.embeddings.strata import FLOAT32_RESOLUTION
from geolatent.linalg import eigh
from geolatent.linalg.checks import require_symmetric


def log_projection_features(S: Tensor, spectrum_weight: float = 1.0, rtol: float | None = None) -> Tensor:
    r"""Vectors whose Euclidean distance compares the ranges of semidefinite matrices and the logarithms on them.

    .. math:: \phi(S) = \bigl( \tfrac{1}{\sqrt 2} \, U U^\top, \ \sqrt k \; U \log(R^2) \, U^\top \bigr),
              \qquad S = U R^2 U^\top, \quad U^\top U = I_r

    .. math:: \|\phi(A) - \phi(B)\|^2 = \|\sin \Theta\|^2 + k \, \|U_A \log(R_A^2) U_A^\top
              - U_B \log(R_B^2) U_B^\top\|_F^2

    where :math:`\Theta` are the principal angles between ranges of equal dimension. So it is the projection metric on
    the subspaces plus the log-Euclidean distance on the ranges. Being the distance of vectors, it gives a positive
    semidefinite centred kernel, and a positive semidefinite Gaussian kernel for every :math:`\gamma > 0`, also between
    matrices of different ranks; for positive definite matrices it is the log-Euclidean distance. Not differentiable
    where the rank changes; no gradient is kept.

    Args:
        S: symmetric positive semidefinite matrices, shape (..., p, p). float16 and bfloat16 are computed in float32.
        spectrum_weight: the factor k, positive.
        rtol: eigenvalues up to rtol times the largest count as zero, as in :func:`numerical_rank`.

    Returns:
        Vectors, shape (..., p (p + 1)): the lower triangles of both symmetric matrices, off-diagonal entries times
        :math:`\sqrt 2`.

    Raises:
        TypeError: if S is not real floating point, or spectrum_weight no real number.
        ValueError: if a matrix is not finite, not symmetric or not positive semidefinite, or spectrum_weight is not
            positive and finite.

    Accuracy:
        Error of :math:`\phi` in norm at most :math:`20 \, p \, \epsilon \, \lambda_{\max} / \lambda_r` times
        :math:`1 + \|\phi\|`, with the smallest eigenvalue :math:`\lambda_r` that counts.

    Source:
        Projection metric [edelman1998geometry]; log-Euclidean metric [arsigny2007geometric]; kernels
        [jayasumana2015kernel].

    >>> a, b = torch.diag(torch.tensor([1.0, 0.0])), torch.diag(torch.tensor([0.0, 1.0]))
    >>> (log_projection_features(a) - log_projection_features(b)).square().sum()
    tensor(1.0000)
    """
    require_floating("S", S)
    require_square("S", S)
    require_symmetric("S", S)
    if not isinstance(spectrum_weight, Real):
        raise TypeError(f"spectrum_weight must be a real number; got {spectrum_weight!r}: the default is 1")
    if not 0 < spectrum_weight < math.inf:
        raise ValueError(f"spectrum_weight must be positive and finite; got {spectrum_weight}: the default is 1")
    p = S.shape[-1]
    values, vectors = eigh((S.float() if S.dtype in (torch.float16, torch.bfloat16) else S).detach())
    tolerance = (p * FLOAT32_RESOLUTION if rtol is None else rtol) * values.abs().amax(-1, keepdim=True)
    _require_semidefinite(values, tolerance)
    kept = values > tolerance
    projection = vectors * kept[..., None, :] @ vectors.mT
    logarithm = vectors * torch.where(kept, values, 1.0).log()[..., None, :] @ vectors.mT
    row, column = torch.tril_indices(p, p, device=S.device)
    unit = (2 - (row == column).to(values.dtype)).sqrt()
    halves = (projection * math.sqrt(0.5), logarithm * math.sqrt(spectrum_weight))
    return torch.cat([half[..., row, column] * unit for half in halves], -1).to(S.dtype)


def log_projection_squared_dist(
    points: Tensor, others: Tensor | None = None, spectrum_weight: float = 1.0, rtol: float | None = None
) -> Tensor:
    r"""Squared distances of :func:`log_projection_features` between all matrices of one or two sets.

    .. math:: d^2(A, B) = \|\sin \Theta\|^2 + k \, \|U_A \log(R_A^2) U_A^\top - U_B \log(R_B^2) U_B^\top\|_F^2

    Args:
        points: symmetric positive semidefinite matrices, shape (N, p, p), of any ranks.
        others: shape (M, p, p); ``points`` themselves if left out.
        spectrum_weight: the factor k, positive.
        rtol: as in :func:`numerical_rank`.

    Returns:
        Squared distances, shape (N, M); within one set exactly symmetric with zero diagonal.

    Raises:
        TypeError: as :func:`log_projection_features`.
        ValueError: likewise, or if the shapes do not fit or a set is empty.

    Accuracy:
        Besides the error of the features, an absolute one of at most 64 eps times the largest squared distance to the
        mean of ``points``.

    >>> eye = torch.eye(2).expand(3, 2, 2) * torch.tensor([1.0, 2.0, 4.0])[:, None, None]
    >>> log_projection_squared_dist(eye).sqrt()[0] / (2**0.5 * torch.tensor(2.0).log())
    tensor([0.0000, 1.0000, 2.0000])
    """
    for name, given in (("points", points), ("others", points if others is None else others)):
        require_floating(name, given)
        if given.ndim != 3 or len(given) == 0 or given.shape[1:] != points.shape[1:]:
            raise ValueError(
                f"{name} must have shape (N, p, p), N > 0, with one p; got {tuple(given.shape)}: one matrix a sample"
            )
    require_same_device(points=points, others=points if others is None else others)
    rows = log_projection_features(points, spectrum_weight, rtol)
    origin = rows.mean(0)
    rows = rows - origin
    columns = rows if others is None else log_projection_features(others, spectrum_weight, rtol) - origin
    squares = [side.square().sum(-1) for side in (rows, columns)]
    table = (squares[0][:, None] + squares[1] - 2 * rows @ columns.mT).clamp_min(0)
    if others is not None:
        return table
    upper = table.triu(1)
    return upper + upper.mT


def _require_semidefinite(values: Tensor, tolerance: Tensor) -> None:
    bad = (values < -tolerance).any(-1)
    if bad.any():
        raise ValueError(
            f"S must be positive semidefinite; {first_of(bad, 'matrix')} has smallest eigenvalue "
            f"{values[bad][0, 0].item():.3g}: add a ridge, or raise rtol if that is rounding"
        )
