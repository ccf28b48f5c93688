"""Principal angles between subspaces."""

import torch
from torch import Tensor

from geolatent import _kernels
from geolatent._checks import require_floating, require_same_device
from geolatent.linalg.checks import require_orthonormal
from geolatent.linalg.svdvals import svdvals

_ROUNDING = 24  # roundings of a unit vector's residual below which an angle counts as zero


def principal_angles(U: Tensor, V: Tensor) -> Tensor:
    r"""Principal angles between the column spaces of orthonormal matrices, accurate near 0 and near pi/2 alike.

    .. math::
        \theta_i = \begin{cases}
        \arcsin \sigma_{m + 1 - i}(V - U U^T V) & \text{if } \cos^2 \theta_i \ge 1/2 \\
        \arccos \sigma_i(U^T V) & \text{otherwise} \end{cases}

    with V the basis of fewer columns, m. Angles within rounding of zero are zero, and so is their gradient there.
    Differentiable twice where the angles are distinct.

    Args:
        U: orthonormal bases, shape (..., p, k).
        V: orthonormal bases, shape (..., p, l); batch shapes broadcast. float16 and bfloat16 are computed in float32.

    Returns:
        Angles in radians in ascending order, shape (..., min(k, l)).

    Raises:
        TypeError: if U or V is not real floating point.
        ValueError: if the shapes do not match, or columns are not orthonormal; names the batch index.

    Accuracy:
        Absolute error at most :math:`20 \, \sqrt{p} \, k \, \epsilon`, eps the unit roundoff of the dtype and k the
        greater dimension.

    Source:
        [bjorck1973numerical].

    >>> line = torch.tensor([[1.0], [0.0]])
    >>> principal_angles(line, torch.eye(2))
    tensor([0.])
    """
    _require_shapes(U, V)
    dtype = torch.promote_types(U.dtype, V.dtype)
    compute = torch.float32 if dtype in (torch.float16, torch.bfloat16) else dtype
    if not _kernels.transformed(U, V):
        require_orthonormal("U", U)
        require_orthonormal("V", V)
    wide, narrow = (U, V) if U.shape[-1] >= V.shape[-1] else (V, U)
    return _angles(wide.to(compute), narrow.to(compute)).to(dtype)


def _angles(wide: Tensor, narrow: Tensor) -> Tensor:
    product = wide.mT @ narrow
    cosines = svdvals(product)
    sines = svdvals(narrow - wide @ product).flip(-1)
    near, zero = cosines.square() >= 0.5, sines <= _rounding(wide)
    small = torch.asin(torch.where(near & ~zero, sines, 0.0))
    large = torch.acos(torch.where(near, 0.0, cosines))
    return torch.where(near, small, large)


def _rounding(basis: Tensor) -> float:
    return _ROUNDING * torch.finfo(basis.dtype).eps / 2 * basis.shape[-1] ** 0.5


def _require_shapes(U: Tensor, V: Tensor) -> None:
    for name, basis in (("U", U), ("V", V)):
        require_floating(name, basis)
        if basis.ndim < 2 or basis.shape[-1] > basis.shape[-2]:
            raise ValueError(
                f"{name} must have shape (..., p, k) with k <= p; got {tuple(basis.shape)}: its columns span a subspace"
            )
    require_same_device(U=U, V=V)
    if U.shape[-2] != V.shape[-2]:
        raise ValueError(
            f"U and V must have the same number of rows; got {U.shape[-2]} and {V.shape[-2]}: both subspaces lie in "
            "one space"
        )
