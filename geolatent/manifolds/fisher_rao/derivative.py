r"""Derivatives of Fisher-Rao geodesics in closed form, from the velocity alone.

First derivatives of :math:`d^2/2`, with (u, U) the initial velocity and a prime the velocity at the end:

.. math::
    \frac{\partial}{\partial \mu_0} = -\Sigma_0^{-1} u, \quad
    \frac{\partial}{\partial \Sigma_0} = -\tfrac12 \Sigma_0^{-1} U \Sigma_0^{-1}, \quad
    \frac{\partial}{\partial \mu_1} = \Sigma_1^{-1} u', \quad
    \frac{\partial}{\partial \Sigma_1} = \tfrac12 \Sigma_1^{-1} U' \Sigma_1^{-1},

and the invariants :math:`\Sigma^{-1} \mu' = x`, :math:`\Sigma^{-1} \Sigma' = B - x (\mu - \mu_0)^T` give the end from
the start. The velocity's own derivative is a Jacobi field: when the end moves by the element A of the affine group's
lift, P of lift.py moves by :math:`A_+ P - P A_- + 2 H(A_{+-})`, H as in the Newton system, and the skew coordinate of A
is what keeps the lift horizontal.

Source: [eriksen1987geodesics] for the invariants; derivation in the design notes, "The Fisher-Rao solver".
"""

from typing import NamedTuple

import torch
from torch import Tensor

from geolatent.linalg.last_derivative import last_derivative
from geolatent.manifolds.fisher_rao.lift import apply_half_coth, skew, symmetric
from geolatent.manifolds.points import Gaussian

_NO_MORE = (
    "the Fisher-Rao distance has two derivatives and its velocity one; this asks for one more: detach() a factor that "
    "need not be differentiated again"
)


def squared_dist_gradient(a: Gaussian, b: Gaussian, velocity: Gaussian) -> tuple[Gaussian, Gaussian]:
    """Gradient of the squared distance with respect to the first and the second Gaussians."""
    x = _solve(a, velocity.loc.unsqueeze(-1))
    start = _solve(a, velocity.covariance_matrix)  # Sigma_0^-1 U
    at_start = _solve(a, start.mT)
    generator = start - x * (b.loc - a.loc).unsqueeze(-2)
    at_end = _solve(b, generator.mT)
    loc = 2 * x.squeeze(-1)
    return Gaussian(-loc, -symmetric(at_start)), Gaussian(loc, symmetric(at_end))


def velocity_tangent(a: Gaussian, b: Gaussian, velocity: Gaussian, moved_a: Gaussian, moved_b: Gaussian) -> Gaussian:
    """Derivative of the initial velocity from a to b along tangent vectors at both; linear in these."""
    a, b, velocity = (Gaussian(*last_derivative(_NO_MORE, *point)) for point in (a, b, velocity))
    factor = torch.linalg.cholesky(a.covariance_matrix)

    def inward(vector: Tensor) -> Tensor:
        return torch.linalg.solve_triangular(factor, vector, upper=False)

    def congruent(matrix: Tensor) -> Tensor:
        return inward(inward(matrix).mT).mT

    mean = inward((b.loc - a.loc).unsqueeze(-1))
    covariance = symmetric(congruent(b.covariance_matrix))
    x = inward(velocity.loc.unsqueeze(-1))
    bend = symmetric(congruent(velocity.covariance_matrix))
    # Moving both ends by the affine map that moves a, at first order, moves the velocity along.
    affine = 0.5 * congruent(moved_a.covariance_matrix)
    mean_rate = inward((moved_b.loc - moved_a.loc).unsqueeze(-1)) - affine @ mean
    covariance_rate = congruent(moved_b.covariance_matrix) - 2 * symmetric(affine @ covariance)
    generator = 0.5 * torch.linalg.solve(covariance, covariance_rate.mT).mT
    x_rate, bend_rate = _at_identity(x, bend, mean_rate - generator @ mean, generator)
    x_rate = x_rate + affine @ x
    bend_rate = bend_rate + 2 * symmetric(affine @ bend)
    return Gaussian((factor @ x_rate).squeeze(-1), symmetric(factor @ bend_rate @ factor.mT))


def _at_identity(x: Tensor, bend: Tensor, translation: Tensor, generator: Tensor) -> tuple[Tensor, Tensor]:
    """Derivative of the velocity (x, B) at N(0, I) when the end moves by an infinitesimal affine map."""
    velocity = torch.cat([-bend, 2**0.5 * x.mT], -2)
    left, singular, right = torch.linalg.svd(velocity)
    field = _Field(velocity, left, singular, right.mT)
    rate = field.moved(torch.zeros_like(generator), generator, translation.mT / 2**0.5)
    if x.shape[-2] > 1:
        rate = rate + field.correction(rate)
    return rate[..., -1:, :].mT / 2**0.5, -symmetric(rate[..., :-1, :])


class _Field(NamedTuple):
    """How P = U s V^T moves with the end of the geodesic."""

    velocity: Tensor
    left: Tensor
    singular: Tensor
    right: Tensor

    def moved(self, skewed: Tensor, stretch: Tensor, row: Tensor) -> Tensor:
        """Derivative of P along the element of the affine group's lift with these blocks."""
        twist, strain = skew(stretch), symmetric(stretch)
        turn = torch.cat([twist + 0.5 * skewed, -row.mT], -1)
        turn = torch.cat([turn, torch.cat([row, torch.zeros_like(row[..., :1])], -1)], -2)
        block = torch.cat([0.5 * skewed - strain, row], -2)
        bent = apply_half_coth(self.left, self.singular, self.right, block)
        return turn @ self.velocity - self.velocity @ (twist - 0.5 * skewed) + 2 * bent

    def correction(self, rate: Tensor) -> Tensor:
        """Move of P, by the skew coordinate alone, that makes its first n rows symmetric again."""
        basis = _skew_basis(rate)
        each = _Field(*(x.unsqueeze(-2 if x is self.singular else -3) for x in self))
        columns = each.moved(basis, torch.zeros_like(basis), torch.zeros_like(basis[..., :1, :]))
        hessian = torch.einsum("kij,...lij->...kl", basis, columns[..., :-1, :])
        wanted = -torch.einsum("kij,...ij->...k", basis, rate[..., :-1, :])
        scale = hessian.diagonal(dim1=-1, dim2=-2).abs().rsqrt()  # an accurate solve, however far apart the entries
        scaled = scale.unsqueeze(-1) * hessian * scale.unsqueeze(-2)
        weights = scale * torch.linalg.solve(scaled, scale * wanted)
        return torch.einsum("...k,...kij->...ij", weights, columns)


def _solve(point: Gaussian, right: Tensor) -> Tensor:
    return torch.linalg.solve(point.covariance_matrix, right)


def _skew_basis(like: Tensor) -> Tensor:
    """Matrices e_i e_j^T - e_j e_i^T for i < j, shape (n (n - 1) / 2, n, n)."""
    n = like.shape[-1]
    rows, columns = torch.triu_indices(n, n, 1, device=like.device)
    basis = like.new_zeros(len(rows), n, n)
    index = torch.arange(len(rows), device=like.device)
    basis[index, rows, columns] = 1
    basis[index, columns, rows] = -1
    return basis
