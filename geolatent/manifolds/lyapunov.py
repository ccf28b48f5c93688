"""Linear and quadratic equations of symmetric matrices, with derivatives that repeated eigenvalues do not disturb.

The eigenbasis in which an equation is solved is a constant to autograd. The steps that refine the solution carry the
derivatives, one order each, and nothing divides by a difference of eigenvalues.
"""

import torch
from torch import Tensor

from geolatent._kernels import differentiated
from geolatent.linalg import eigh
from geolatent.linalg.matrix_function import symmetric_part

_REFINEMENTS = 3
_ITERATIONS = 9
_NEAR = 0.5


class Lyapunov:
    """The equations X S + S X = R of symmetric matrices X and R, one positive definite S for many R."""

    def __init__(self, matrix: Tensor) -> None:
        self.matrix = matrix
        self.values, self.vectors = eigh(matrix.detach())

    def solve(self, right: Tensor) -> Tensor:
        """Return X, differentiable three times."""
        right = symmetric_part(right)
        solution = _solve(self.values, self.vectors, right)
        for _ in range(_REFINEMENTS if differentiated(self.matrix, right) else 1):
            product = self.matrix @ solution
            solution = solution + _solve(self.values, self.vectors, right - product - product.mT)
        return solution


def root_excess(matrix: Tensor, difference: Tensor) -> Tensor:
    r"""Return :math:`Y = (N^2 + \Delta)^{1/2} - N` for positive definite N, which keeps the digits of small Delta.

    Newton's method on :math:`N Y + Y N + Y^2 = \Delta`, from zero where Delta is small.
    """
    values, vectors = eigh(symmetric_part(matrix @ matrix + difference).detach())
    smallest = torch.finfo(values.dtype).tiny
    roots = values.clamp_min(smallest).sqrt()
    far = (vectors * roots.unsqueeze(-2)) @ vectors.mT - matrix.detach()
    near = torch.linalg.matrix_norm(far) < _NEAR * roots[..., 0]
    excess = torch.where(near[..., None, None], 0.0, far)
    for _ in range(_ITERATIONS):
        product = matrix @ excess
        residual = difference - product - product.mT - excess @ excess
        excess = symmetric_part(excess + _solve(roots, vectors, residual))
    return excess


def _solve(values: Tensor, vectors: Tensor, right: Tensor) -> Tensor:
    inner = vectors.mT @ right @ vectors
    return vectors @ (inner / (values.unsqueeze(-1) + values.unsqueeze(-2))) @ vectors.mT
