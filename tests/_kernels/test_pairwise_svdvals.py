"""Sums over the singular values of all products, on every instruction set, against LAPACK in float64."""

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import MATRICES, gaussian, seeds
from torch import Tensor

from geolatent import _kernels
from geolatent._kernels.pairwise_svdvals import Sum, serves, sums
from geolatent.manifolds import AffineInvariantSPD, BuresWassersteinSPD, Grassmannian, pairwise

pytestmark = pytest.mark.skipif(_kernels.core is None, reason="the compiled core is not installed")
dtypes = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
SHAPES = [(1, 1, 1), (2, 3, 2), (5, 9, 3), (3, 9, 5), (8, 8, 8), (8, 200, 7), (17, 17, 16), (33, 33, 33), (48, 2, 48)]


def singular_values(left: Tensor, right: Tensor) -> Tensor:
    return torch.linalg.svdvals(pairwise.all_products(left.double(), right.double()))


def norms(left: Tensor, right: Tensor) -> Tensor:
    """What rounding errors of the products are relative to."""
    return torch.linalg.matrix_norm(left.double(), 2)[:, None] * torch.linalg.matrix_norm(right.double(), 2)


@dtypes
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("counts", [(1, 1), (3, 70), (70, 3)], ids=str)
def test_the_kernel_is_the_definition(
    isa: str, shape: tuple[int, int, int], counts: tuple[int, int], dtype: torch.dtype
) -> None:
    n, inner, m = shape
    left, right = gaussian(0, counts[0], n, inner, dtype=dtype), gaussian(1, counts[1], inner, m, dtype=dtype)
    values, size, eps = singular_values(left, right), max(n, m), torch.finfo(dtype).eps
    tolerance = 20 * size * eps * norms(left, right)
    assert ((sums(left, right, Sum.VALUES, above_diagonal=False) - values.sum(-1)).abs() <= size * tolerance).all()
    angles = values.clamp_max(1).acos()
    found = sums(left, right, Sum.SQUARED_ANGLES, above_diagonal=False).double().sqrt()
    error = size**0.5 * ((tolerance + tolerance**0.5) if values.max() > 0.9 else tolerance)
    assert ((found - angles.square().sum(-1).sqrt()).abs() <= error).all()
    if inner >= size:
        expected = values.log().square().sum(-1).sqrt()
        found = sums(left, right, Sum.SQUARED_LOGS, above_diagonal=False).double().sqrt()
        assert ((found - expected).abs() <= size**0.5 * tolerance / values[..., -1] + 8 * eps * expected).all()


@dtypes
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=seeds, d=st.integers(2, 12), kinds=st.lists(st.sampled_from(sorted(MATRICES)), min_size=1, max_size=70))
def test_matrices_of_every_kind_side_by_side(isa: str, dtype: torch.dtype, seed: int, d: int, kinds: list[str]) -> None:
    """Zero, of low rank, falling apart, with repeated values: no lane disturbs another."""
    right = torch.stack([MATRICES[kind](seed, d) for kind in kinds]).to(dtype)
    left = torch.stack([torch.eye(d), MATRICES["orthogonal"](seed, d)]).to(dtype)
    found = sums(left, right, Sum.VALUES, above_diagonal=False)
    expected = singular_values(left, right).sum(-1)
    tiny = torch.finfo(dtype).tiny
    assert ((found - expected).abs() <= 20 * d**2 * torch.finfo(dtype).eps * norms(left, right) + tiny).all()


@pytest.mark.parametrize(("dtype", "scale"), [(torch.float32, 1e-30), (torch.float32, 1e30), (torch.float64, 1e-250)])
def test_huge_and_tiny_factors(isa: str, dtype: torch.dtype, scale: float) -> None:
    left, right = gaussian(0, 3, 6, 6, dtype=dtype), gaussian(1, 40, 6, 6, dtype=dtype)
    expected = sums(left, right, Sum.VALUES, above_diagonal=False)
    for factors in ((left * scale, right), (left, right * scale)):
        torch.testing.assert_close(sums(*factors, Sum.VALUES, above_diagonal=False) / scale, expected)


def test_matrices_that_are_not_finite_spoil_their_own_pairs_alone(isa: str) -> None:
    left, right = gaussian(0, 4, 5, 5), gaussian(1, 40, 5, 5)
    clean = sums(left, right, Sum.VALUES, above_diagonal=False)
    left[1, 2, 3], right[7, 0, 0] = torch.nan, torch.inf
    found = sums(left, right, Sum.VALUES, above_diagonal=False)
    spoilt = torch.zeros(4, 40, dtype=torch.bool)
    spoilt[1], spoilt[:, 7] = True, True
    assert (found.isnan() == spoilt).all()
    assert torch.allclose(found[~spoilt], clean[~spoilt], rtol=1e-13)


@pytest.mark.parametrize("count", [1, 2, 31, 33, 100])
def test_above_the_diagonal(isa: str, count: int) -> None:
    left, right = gaussian(0, count, 4, 6), gaussian(1, count, 6, 4)
    every = sums(left, right, Sum.VALUES, above_diagonal=False)
    above = sums(left, right, Sum.VALUES, above_diagonal=True)
    assert torch.allclose(above.triu(1), every.triu(1), rtol=1e-13)
    assert torch.allclose(torch.where(above == 0, every, above), every, rtol=1e-13)


def test_thread_counts_change_no_bit_and_neighbours_the_last_digits(isa: str) -> None:
    left, right, threads = gaussian(0, 90, 7, 7), gaussian(1, 90, 7, 7), torch.get_num_threads()
    expected = sums(left, right, Sum.SQUARED_LOGS, above_diagonal=False)
    try:
        torch.set_num_threads(3)
        assert torch.equal(sums(left, right, Sum.SQUARED_LOGS, above_diagonal=False), expected)
    finally:
        torch.set_num_threads(threads)
    order = torch.randperm(90, generator=torch.Generator().manual_seed(0))
    permuted = sums(left, right[order], Sum.SQUARED_LOGS, above_diagonal=False)
    assert torch.allclose(permuted, expected[:, order], rtol=1e-11)


@pytest.mark.parametrize(
    "manifold", [AffineInvariantSPD(6), BuresWassersteinSPD(6), Grassmannian(9, 4), AffineInvariantSPD(49)], ids=repr
)
@dtypes
def test_distances_with_and_without_it(manifold, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    points = manifold.random_point((9,), torch.Generator().manual_seed(0), dtype=dtype)
    compiled = manifold.pairwise_dist(points)
    monkeypatch.setattr(_kernels, "core", None)
    assert not serves(points, points)
    torch.testing.assert_close(manifold.pairwise_dist(points), compiled)
