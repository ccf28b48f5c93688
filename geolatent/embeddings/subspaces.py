"""Angles between the subspaces that two sets of samples generate."""

from collections.abc import Sequence

import torch
from torch import Tensor

from geolatent._checks import require_floating, require_same_device
from geolatent.embeddings.checks import require_finite_table, require_symmetric_table
from geolatent.embeddings.coordinates import descending_eigh, hilbert_dimension
from geolatent.linalg import principal_angles


def subspace_angles(
    points_a: Tensor, points_b: Tensor, threshold: float = 0.95, dimensions: Sequence[int] | None = None
) -> Tensor:
    r"""Principal angles between the leading subspaces of two sets of points of one Hilbert space.

    .. math:: \cos \theta_i = \sigma_i \bigl( A_a^\top K_{ab} A_b \bigr), \qquad
              A = V_k \Lambda_k^{-1/2}, \quad K_{aa} = V \Lambda V^\top, \quad K_{ab} = X_a X_b^\top

    Each subspace is spanned by the leading principal directions, through the origin, of its set. Sets known by their
    distances or a kernel need coordinates in one space, from the joint kernel of both:

        ``X = kernel_coordinates(centred_kernel(squared_dist))``, then ``subspace_angles(X[:n], X[n:])``.

    (Points that `HilbertEmbedding` transforms are projected to the space of those it was fitted on: angles to that
    space itself are zero.)

    Args:
        points_a: coordinates, shape (n, D).
        points_b: coordinates, shape (m, D).
        threshold: share of the squared singular values of a set that its subspace holds, in (0, 1].
        dimensions: dimensions of the two subspaces, in place of a threshold.

    Returns:
        Angles in radians, ascending, shape (k,), k the smaller dimension; float64 computed, in the points' dtype.

    Raises:
        TypeError: if the points are not real floating point, or dimensions are not two integers.
        ValueError: if shapes do not fit, a set is empty, not finite or spans nothing, threshold is not in (0, 1], or a
            dimension is larger than the rank of its set.

    Accuracy:
        That of :func:`geolatent.linalg.principal_angles` for coordinates whose gap behind the last direction is not
        small. Angles from a kernel are known to the root of its rounding only, about 1e-8 near zero.

    Source:
        [bjorck1973numerical]; in Hilbert space [shrivastava2024latent].

    >>> line, plane = torch.tensor([[3.0, 0.0, 0.0]]), torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    >>> subspace_angles(line, plane)
    tensor([0.7854])
    """
    bases, wanted = [], _wanted(dimensions)
    for k, (name, points) in enumerate((("points_a", points_a), ("points_b", points_b))):
        require_floating(name, points)
        require_finite_table(name, points)
        if len(points) == 0:
            raise ValueError(f"{name} must hold at least one point; got none: an empty set spans no subspace")
        _, singular, directions = torch.linalg.svd(points.detach().double(), full_matrices=False)
        dimension = _dimension(name, singular.square().to(points.dtype), threshold, wanted[k])
        bases.append(directions[:dimension].mT)
    require_same_device(points_a=points_a, points_b=points_b)
    if points_a.shape[1] != points_b.shape[1]:
        raise ValueError(
            f"points_a and points_b must have one number of coordinates; got {points_a.shape[1]} and "
            f"{points_b.shape[1]}: take both from one joint kernel"
        )
    return principal_angles(*bases).to(torch.promote_types(points_a.dtype, points_b.dtype))


def eigenspace_angles(
    kernel_a: Tensor, kernel_b: Tensor, threshold: float = 0.95, dimensions: Sequence[int] | None = None
) -> Tensor:
    r"""Principal angles between the leading eigenspaces of two kernels over the same samples.

    .. math:: \cos \theta_i = \sigma_i \bigl( V_{a,k}^\top V_{b,l} \bigr), \qquad K = V \Lambda V^\top

    The subspaces lie in the space of sample indices: row i of both kernels must belong to the same sample, clean in one
    and noisy in the other, say. It compares how the samples lie to each other, not where; moving one set as a whole
    changes nothing.

    Args:
        kernel_a: inner products, shape (n, n), n at least 2.
        kernel_b: the same shape.
        threshold: share of the positive spectrum that an eigenspace holds, in (0, 1].
        dimensions: dimensions of the two eigenspaces, in place of a threshold.

    Returns:
        Angles in radians, ascending, shape (k,), k the smaller dimension.

    Raises:
        TypeError: if a kernel is not real floating point, or dimensions are not two integers.
        ValueError: if a kernel is not a finite symmetric matrix of at least two points with a positive eigenvalue, the
            shapes differ, or threshold or a dimension is out of range.

    Source:
        [shrivastava2024latent].

    >>> a, b = torch.diag(torch.tensor([2.0, 0.01, 0.01])), torch.diag(torch.tensor([0.01, 0.01, 1.0]))
    >>> eigenspace_angles(a, b)
    tensor([1.5708])
    """
    bases, wanted = [], _wanted(dimensions)
    for k, (name, kernel) in enumerate((("kernel_a", kernel_a), ("kernel_b", kernel_b))):
        require_symmetric_table(name, kernel)
        values, vectors = descending_eigh(kernel)
        dimension = _dimension(name, values.to(kernel.dtype), threshold, wanted[k])
        bases.append(vectors[:, :dimension])
    require_same_device(kernel_a=kernel_a, kernel_b=kernel_b)
    if kernel_a.shape != kernel_b.shape:
        raise ValueError(
            f"kernel_a and kernel_b must have one shape; got {tuple(kernel_a.shape)} and {tuple(kernel_b.shape)}: "
            "row i of both belongs to sample i"
        )
    return principal_angles(*bases).to(torch.promote_types(kernel_a.dtype, kernel_b.dtype))


def _wanted(dimensions: Sequence[int] | None) -> tuple[int, int] | tuple[None, None]:
    if dimensions is None:
        return None, None
    if not isinstance(dimensions, Sequence) or len(dimensions) != 2:
        raise TypeError(f"dimensions must be two integers, one a set; got {dimensions!r}: such as (10, 10)")
    first, second = dimensions
    return first, second


def _dimension(name: str, eigenvalues: Tensor, threshold: float, wanted: int | None) -> int:
    rank = hilbert_dimension(eigenvalues, 1.0)
    if rank == 0:
        raise ValueError(f"{name} must span a subspace; got no positive eigenvalue: all points lie at the origin")
    if wanted is None:
        return hilbert_dimension(eigenvalues, threshold)
    if not 1 <= wanted <= rank:
        raise ValueError(
            f"dimensions must lie between 1 and the rank; got {wanted} for {name} of rank {rank}: lower it"
        )
    return wanted
