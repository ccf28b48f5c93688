"""Coordinates of points whose inner products are known, and the dimension of the space they span."""

import torch
from torch import Tensor

from geolatent._checks import require_floating
from geolatent.embeddings.checks import require_symmetric_table, require_threshold
from geolatent.linalg import eigh


def kernel_coordinates(kernel: Tensor, threshold: float = 1.0) -> Tensor:
    r"""Points of a Euclidean space with given inner products: classical multidimensional scaling.

    .. math:: X = V_k \Lambda_k^{1/2}, \qquad K = V \Lambda V^\top

    Negative eigenvalues are clipped; columns stand by decreasing eigenvalue, each with its largest entry positive.

    Args:
        kernel: inner products, shape (n, n), n at least 2: from squared distances by :func:`centred_kernel`.
        threshold: share of the positive spectrum to keep; 1 keeps every eigenvalue above rounding, n eps times the
            largest, eps the unit roundoff of the kernel's dtype.

    Returns:
        Coordinates, shape (n, k).

    Raises:
        TypeError: if kernel is not real floating point.
        ValueError: if kernel is not a finite symmetric matrix of at least two points, or threshold is not in (0, 1].

    Accuracy:
        For a positive semidefinite kernel and threshold 1, inner products of the rows equal the kernel up to
        :math:`40 \, n \, \epsilon \, \|K\|_2`.

    Source:
        [torgerson1952multidimensional].

    >>> kernel_coordinates(torch.tensor([[1.0, -1.0], [-1.0, 1.0]]))
    tensor([[ 1.],
            [-1.]])
    """
    require_symmetric_table("kernel", kernel)
    values, vectors = descending_eigh(kernel)
    dimension = hilbert_dimension(values.to(kernel.dtype), threshold)
    return (vectors[:, :dimension] * values[:dimension].sqrt()).to(kernel.dtype)


def hilbert_dimension(eigenvalues: Tensor, threshold: float = 0.95) -> int:
    r"""Number of leading eigenvalues that hold a share of the positive spectrum.

    .. math:: \min \Bigl\{ k : \sum_{i \le k} \lambda_i \ge \text{threshold} \sum_{\lambda_i > 0} \lambda_i \Bigr\}

    Args:
        eigenvalues: of a kernel, descending, shape (n,). Positive are those above n eps times the largest.
        threshold: share, in (0, 1].

    Returns:
        The number; 0 if no eigenvalue is positive.

    Raises:
        TypeError: if eigenvalues is not real floating point, or threshold no real number.
        ValueError: if eigenvalues do not descend or their shape is not (n,), or threshold is not in (0, 1].

    Source:
        [shrivastava2024latent], with threshold 0.95.

    >>> hilbert_dimension(torch.tensor([6.0, 3.0, 1.0, -1.0]), 0.9)
    2
    """
    require_threshold(threshold)
    _require_descending(eigenvalues)
    rounding = len(eigenvalues) * torch.finfo(eigenvalues.dtype).eps
    positive = eigenvalues[(eigenvalues > 0) & (eigenvalues > rounding * eigenvalues[:1])]
    if threshold == 1 or len(positive) == 0:
        return len(positive)
    shares = positive.cumsum(0) / positive.sum()
    return int((shares < threshold * (1 - rounding)).sum()) + 1


def _require_descending(eigenvalues: Tensor) -> None:
    require_floating("eigenvalues", eigenvalues)
    if eigenvalues.ndim != 1:
        raise ValueError(f"eigenvalues must have shape (n,); got {tuple(eigenvalues.shape)}: give those of one kernel")
    rising = eigenvalues.diff() > 0
    if rising.any():
        k = int(rising.nonzero()[0])
        raise ValueError(
            f"eigenvalues must descend; entry {k + 1} is larger than entry {k}: use eigenvalues.flip(0) if they ascend"
        )


def descending_eigh(kernel: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues and eigenvectors (n, n) in float64, largest first; each vector's largest entry is positive."""
    values, vectors = eigh(kernel.detach().double())
    values, vectors = values.flip(-1), vectors.flip(-1)
    return values, vectors * signs(vectors)


def signs(columns: Tensor) -> Tensor:
    """Signs (n,) that make the entry of largest modulus of every column positive."""
    largest = columns.gather(0, columns.abs().argmax(0, keepdim=True))[0]
    return torch.where(largest < 0, -1.0, 1.0).to(columns.dtype)
