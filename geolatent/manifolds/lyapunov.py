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
    """The equations X S + S X = R of symmetric matrices X and R, one positive definite S for many R.

    They are solved in a basis that is almost an eigenbasis of S: ``inner`` leads there and ``outer`` back.
    """

    def __init__(self, matrix: Tensor) -> None:
        values, self.vectors = eigh(matrix.detach())
        self.sums = values.unsqueeze(-1) + values.unsqueeze(-2)
        self.matrix = self.inner(matrix)

    def inner(self, matrix: Tensor) -> Tensor:
        """Bring a matrix to the basis."""
        return self.vectors.mT @ matrix @ self.vectors

    def outer(self, matrix: Tensor) -> Tensor:
        """Bring a matrix back from the basis."""
        return self.vectors @ matrix @ self.vectors.mT

    def solve_inner(self, right: Tensor) -> Tensor:
        """Return X in the basis for symmetric R in the basis; differentiable three times."""
        solution = right / self.sums
        for _ in range(_REFINEMENTS if differentiated(self.matrix, right) else 1):
            product = self.matrix @ solution
            solution = solution + (right - product - product.mT) / self.sums
        return solution

    def solve(self, right: Tensor) -> Tensor:
        """Return X, differentiable three times."""
        return self.outer(self.solve_inner(self.inner(symmetric_part(right))))


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
    sums = roots.unsqueeze(-1) + roots.unsqueeze(-2)
    for _ in range(_ITERATIONS):
        product = matrix @ excess
        residual = difference - product - product.mT - excess @ excess
        turned = (vectors.mT @ residual @ vectors) / sums
        excess = symmetric_part(excess + vectors @ turned @ vectors.mT)
    return excess
