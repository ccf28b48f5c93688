r"""The exponential map of the general Fisher-Rao metric, by one matrix exponential.

In whitened coordinates the geodesic with velocity (x, B) is, with the symmetric generator

.. math::
    X = \begin{bmatrix} -B & x & 0 \\ x^T & 0 & -x^T \\ 0 & -x & B \end{bmatrix}, \qquad F = e^{X / 2},

read off the first two block rows F_a, F_b: :math:`\Sigma^{-1} = F_a F_a^T` and :math:`\mu` solves the least-squares
problem :math:`F_a^T \mu \approx F_b^T`, so that one QR decomposition of F_a^T gives both without squaring its
condition.

Source: [eriksen1987geodesics].
"""

import torch
from torch import Tensor

from geolatent.manifolds.fisher_rao.lift import symmetric
from geolatent.manifolds.points import Gaussian


def exponential(velocity: Gaussian, base: Gaussian) -> Gaussian:
    """End of the geodesic from ``base`` with this initial velocity; batch shapes broadcast."""
    factor = torch.linalg.cholesky(base.covariance_matrix)
    x, bend = whitened(velocity, factor)
    mean, covariance = _from_identity(x, bend)
    return Gaussian(base.loc + (factor @ mean).squeeze(-1), symmetric(factor @ covariance @ factor.mT))


def whitened(vector: Gaussian, factor: Tensor) -> tuple[Tensor, Tensor]:
    """Tangent vectors in the coordinates of their base point's Cholesky factor: (..., n, 1) and (..., n, n)."""
    x = torch.linalg.solve_triangular(factor, vector.loc.unsqueeze(-1), upper=False)
    half = torch.linalg.solve_triangular(factor, vector.covariance_matrix, upper=False)
    return x, symmetric(torch.linalg.solve_triangular(factor, half.mT, upper=False))


def _from_identity(x: Tensor, bend: Tensor) -> tuple[Tensor, Tensor]:
    shape = torch.broadcast_shapes(x.shape[:-2], bend.shape[:-2])
    n = bend.shape[-1]
    x, bend = x.expand(*shape, n, 1), bend.expand(*shape, n, n)
    corner, zero = torch.zeros_like(x[..., :1, :]), torch.zeros_like(bend)
    generator = torch.cat(
        [
            torch.cat([-bend, x, zero], -1),
            torch.cat([x.mT, corner, -x.mT], -1),
            torch.cat([zero, -x, bend], -1),
        ],
        -2,
    )
    rows = torch.linalg.matrix_exp(0.5 * generator)
    basis, triangle = torch.linalg.qr(rows[..., :n, :].mT)
    mean = torch.linalg.solve_triangular(triangle, basis.mT @ rows[..., n, :, None], upper=True)
    identity = torch.eye(n, dtype=x.dtype, device=x.device).expand(bend.shape)
    inverse = torch.linalg.solve_triangular(triangle, identity, upper=True)
    return mean, inverse @ inverse.mT
