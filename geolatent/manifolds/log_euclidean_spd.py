"""Symmetric positive definite matrices with the log-Euclidean metric."""

from torch import Tensor

from geolatent.linalg.matrix_function import matrix_function, matrix_function_derivative
from geolatent.linalg.scalar_functions import Exponential, Logarithm
from geolatent.manifolds.flat_spd import FlatSPD


class LogEuclideanSPD(FlatSPD):
    r"""Symmetric positive definite matrices of size p, whose logarithms form a Euclidean space.

    .. math::
        ds^2 = \|D\log(S)[dS]\|_F^2, \qquad d(A, B) = \|\log A - \log B\|_F, \qquad
        \gamma(t) = \exp((1 - t) \log A + t \log B)

    Flat: geodesics and means are unique and closed forms. Lengths are invariant under rotations, scaling and
    inversion, not under all congruences as those of `AffineInvariantSPD`; the two agree for commuting matrices.

    Points are matrices, shape (..., p, p); tangent vectors are symmetric matrices of that shape. Distances and
    geodesics can be differentiated twice; `log`, `exp`, `inner_product`, `norm` and `parallel_transport`, which
    contain a derivative of the matrix logarithm or exponential, once.

    Args:
        p: size of the matrices.

    Accuracy:
        Error of distances at most 40 p eps (kappa + d), kappa the greater condition of the two matrices and d the
        distance.

    Source:
        [arsigny2007geometric].

    >>> import torch
    >>> manifold = LogEuclideanSPD(2)
    >>> manifold.dist(torch.eye(2), torch.diag(torch.tensor([1.0, 2.0])))
    tensor(0.6931)
    """

    def _chart(self, point: Tensor) -> Tensor:
        return matrix_function(Logarithm(), point)[0]

    def _point(self, coordinates: Tensor) -> Tensor:
        return matrix_function(Exponential(), coordinates)[0]

    def _moved_chart(self, point: Tensor, tangent_vec: Tensor) -> Tensor:
        return matrix_function_derivative(Logarithm(), point, tangent_vec)

    def _moved_point(self, coordinates: Tensor, velocity: Tensor) -> Tensor:
        return matrix_function_derivative(Exponential(), coordinates, velocity)
