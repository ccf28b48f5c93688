"""Semidefinite matrices of fixed and of unequal rank against the definition; ranks and bad matrices are named."""

import math

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from manifold_cases import assert_close, random_of_rank
from strategies import gaussian, generator, seeds
from torch import Tensor

from geolatent.manifolds import AffineInvariantSPD, FixedRankSPSD, Grassmannian


def of_rank(rank: int, seed: int, p: int = 6) -> Tensor:
    return FixedRankSPSD(p, rank).random_point((), generator(seed))


def definition(a: Tensor, b: Tensor, rank_a: int, rank_b: int, weight: float, extra: bool = True) -> float:
    """Bonnabel and Sepulchre's distance by numpy; the larger subspace restricted to its principal vectors."""
    bases = []
    for matrix, rank in ((a, rank_a), (b, rank_b)):
        bases.append(np.linalg.eigh(matrix.numpy())[1][:, -rank:])
    left, cosines, right = np.linalg.svd(bases[0].T @ bases[1], full_matrices=False)
    principal = bases[0] @ left, bases[1] @ right.T
    cores = [y.T @ matrix.numpy() @ y for y, matrix in zip(principal, (a, b), strict=True)]
    angles = np.arccos(np.clip(cosines, -1, 1))
    missing = abs(rank_a - rank_b) * (math.pi / 2) ** 2 * extra
    logs = np.log(scipy.linalg.eigvalsh(cores[1], cores[0]))
    return math.sqrt((angles**2).sum() + missing + weight * (logs**2).sum())


@settings(max_examples=20)
@given(seeds, st.integers(1, 6), st.floats(0.1, 10.0))
def test_distances_by_the_definition(seed: int, rank: int, weight: float) -> None:
    a, b = of_rank(rank, seed), of_rank(rank, seed + 1)
    manifold = FixedRankSPSD(6, rank, spectrum_weight=weight)
    expected = definition(a, b, rank, rank, weight)
    assert manifold.dist(a, b).item() == pytest.approx(expected, rel=1e-8)
    assert manifold.pairwise_dist(a[None], b[None]).item() == pytest.approx(expected, rel=1e-8)


@settings(max_examples=20)
@given(seeds, st.integers(1, 5), st.integers(1, 5))
def test_unequal_ranks(seed: int, rank_a: int, rank_b: int) -> None:
    a, b = of_rank(rank_a, seed), of_rank(rank_b, seed + 1)
    smaller = min(rank_a, rank_b)
    for policy, expected in (
        ("truncate", definition(a, b, smaller, smaller, 1.0)),
        ("schubert", definition(a, b, rank_a, rank_b, 1.0)),
    ):
        manifold = FixedRankSPSD(6, 5, cross_rank=policy)  # type: ignore[arg-type]
        assert manifold.dist(a, b).item() == pytest.approx(expected, rel=1e-8)
        assert manifold.dist(b, a).item() == pytest.approx(expected, rel=1e-8)
        assert manifold.pairwise_dist(a[None], b[None]).item() == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("policy", ["truncate", "schubert"])
def test_tables_of_unequal_ranks(policy: str) -> None:
    manifold = FixedRankSPSD(6, 6, cross_rank=policy)  # type: ignore[arg-type]
    points = torch.stack([of_rank(rank, seed) for seed in range(4) for rank in (1, 3, 4, 5)])
    low = points[::4]
    assert_close(manifold.pairwise_dist(points), manifold.dist(points[:, None], points), 1e-9)
    assert_close(manifold.pairwise_dist(low, points), manifold.dist(low[:, None], points), 1e-9)
    assert_close(manifold.pairwise_dist(points, low), manifold.dist(points[:, None], low), 1e-9)


@pytest.mark.parametrize("policy", ["truncate", "schubert"])
def test_unequal_ranks_can_be_differentiated(policy: str) -> None:
    """Along congruences, which keep the rank; also where eigenvalues are repeated."""
    manifold = FixedRankSPSD(4, 3, cross_rank=policy)  # type: ignore[arg-type]
    repeated = torch.diag(torch.tensor([2.0, 1.0, 1.0, 0.0], dtype=torch.float64))
    points = torch.stack([of_rank(rank, rank, 4) for rank in (1, 2, 3)] + [repeated])
    direction = 0.3 * gaussian(0, 4, 4)

    def table(t: Tensor) -> Tensor:
        move = torch.linalg.matrix_exp(t * direction)
        moved = move @ points @ move.mT
        return manifold.squared_dist(((moved + moved.mT) / 2)[:, None], points[[0, 2, 3]])

    t = torch.tensor(0.2, dtype=torch.float64, requires_grad=True)

    assert torch.autograd.gradcheck(table, t, rtol=1e-5, atol=1e-6)
    x = points.clone().requires_grad_()
    assert torch.autograd.grad(manifold.dist(x[:, None], points).sum(), x)[0].isfinite().all()


def test_at_full_rank_it_is_the_affine_invariant_manifold() -> None:
    manifold, other = FixedRankSPSD(4, 4), AffineInvariantSPD(4)
    a, b = manifold.random_point((2, 30), generator(0))
    v = gaussian(1, 30, 4, 4)
    v = v + v.mT
    assert_close(manifold.dist(a, b), other.dist(a, b), 1e-12)
    assert_close(manifold.pairwise_dist(a, b), other.pairwise_dist(a, b), 1e-12)
    assert_close(manifold.log(b, a), other.log(b, a), 1e-11)
    assert_close(manifold.inner_product(v, v, a), other.inner_product(v, v, a), 1e-11)
    assert_close(manifold.parallel_transport(v, a, b), other.parallel_transport(v, a, b), 1e-10)
    assert_close(manifold.geodesic(a, b)(0.3), other.geodesic(a, b)(0.3), 1e-11)


def test_with_one_spectrum_it_is_the_grassmannian() -> None:
    u, v = Grassmannian(6, 2).random_point((2, 10), generator(0))
    assert_close(FixedRankSPSD(6, 2).dist(3 * u @ u.mT, 3 * v @ v.mT), Grassmannian(6, 2).dist(u, v), 1e-12)
    near = Grassmannian(6, 2).exp(1e-12 * gaussian(1, 10, 6, 2), u)
    angles = FixedRankSPSD(6, 2).dist(u @ u.mT, near @ near.mT)
    assert_close(angles, Grassmannian(6, 2).dist(u, near), 1e-14)


def test_pseudo_inversion_keeps_distances() -> None:
    manifold = FixedRankSPSD(5, 3)
    a, b = manifold.random_point((2, 10), generator(0))
    inverses = [torch.linalg.pinv(x, hermitian=True, rtol=1e-9) for x in (a, b)]
    inverses = [(x + x.mT) / 2 for x in inverses]
    assert_close(manifold.dist(*inverses), manifold.dist(a, b), 1e-10)


def test_the_triangle_inequality_can_fail() -> None:
    manifold = FixedRankSPSD(3, 2)
    a, b, c = manifold.random_point((3, 4000), generator(0))
    assert (manifold.dist(a, c) > 1.01 * (manifold.dist(a, b) + manifold.dist(b, c))).any()


def test_curves_keep_the_rank_and_have_the_length_of_the_distance() -> None:
    manifold = FixedRankSPSD(5, 2)
    a, b = manifold.random_point((2,), generator(3))
    path = manifold.geodesic(a, b)
    times = torch.linspace(0, 1, 401, dtype=a.dtype)
    pieces = manifold.dist(path(times[:-1]), path(times[1:]))
    assert_close(pieces.sum(), manifold.dist(a, b), 1e-4)
    h = 1e-5
    velocity = (path(0.4 + h) - path(0.4 - h)) / (2 * h)
    assert_close(manifold.norm(velocity, path(0.4)), manifold.dist(a, b), 1e-7)


def test_what_maps_the_null_space_to_itself_counts_for_nothing() -> None:
    manifold = FixedRankSPSD(5, 2)
    a = manifold.random_point((), generator(0))
    tangent = random_of_rank(1, a)
    beside = gaussian(1, 5, 5)
    beside = (beside + beside.mT) / 2 - tangent
    assert_close(manifold.norm(tangent + beside, a), manifold.norm(tangent, a), 1e-12)
    assert_close(manifold.exp(0.1 * (tangent + beside), a), manifold.exp(0.1 * tangent, a), 1e-12)


def test_ranks_are_named() -> None:
    points = torch.stack([of_rank(3, 0), of_rank(2, 1), of_rank(3, 2)])
    with pytest.raises(ValueError, match=r"points must have rank 3; matrix 1 of 3 has rank 2: pass cross_rank='trunc"):
        FixedRankSPSD(6, 3).pairwise_dist(points)
    with pytest.raises(ValueError, match=r"points must have rank at most 2; matrix 0 of 3 has rank 3: use FixedRank"):
        FixedRankSPSD(6, 2, cross_rank="truncate").pairwise_dist(points)
    manifold = FixedRankSPSD(6, 3, cross_rank="schubert")
    assert manifold.pairwise_dist(points).isfinite().all()
    with pytest.raises(ValueError, match=r"must have rank 3; matrix 1 of 3 has rank 2"):
        manifold.log(points, points[0])
    with pytest.raises(ValueError, match=r"must have positive rank; the matrix has rank 0: drop it"):
        manifold.dist(torch.zeros(6, 6, dtype=torch.float64), points)
    assert FixedRankSPSD(6, 3).belongs(points).tolist() == [True, False, True]
    assert manifold.belongs(points).all()


def test_rtol_decides_the_rank() -> None:
    values = torch.tensor([1.0, 1e-3, 1e-9], dtype=torch.float64)
    matrix = torch.diag(values)
    assert FixedRankSPSD(3, 2).belongs(matrix)
    assert FixedRankSPSD(3, 3, rtol=1e-12).belongs(matrix)
    assert FixedRankSPSD(3, 1, rtol=1e-2).belongs(matrix)
    assert FixedRankSPSD(3, 3, rtol=1e-12).dist(matrix, 2 * matrix).item() == pytest.approx(math.sqrt(3) * math.log(2))


def test_bad_matrices_and_options_are_named() -> None:
    good = FixedRankSPSD(2, 1).random_point((5,), generator(0))
    for entries, message in [
        (
            [[1.0, 0.0], [0.0, -1.0]],
            r"point_b must be positive semidefinite; matrix 3 of 5 has smallest eigenvalue -1: ",
        ),
        ([[1.0, 0.5], [0.4, 1.0]], r"point_b must be symmetric; matrix 3 of 5 .* by 0\.1: use \(point_b \+"),
        ([[1.0, math.inf], [math.inf, 1.0]], r"point_b must be finite; matrix 3 of 5 holds inf"),
    ]:
        bad = good.clone()
        bad[3] = torch.tensor(entries, dtype=torch.float64)
        with pytest.raises(ValueError, match=message):
            FixedRankSPSD(2, 1).dist(good, bad)
        assert FixedRankSPSD(2, 1).belongs(bad).tolist() == [True, True, True, False, True]
    for arguments, options, message in [
        ((2, 3), {}, "rank must be at most p = 2; got 3"),
        ((2, 0), {}, "rank must be a positive integer; got 0"),
        ((2, 1), {"spectrum_weight": 0.0}, "spectrum_weight must be positive and finite; got 0.0"),
        ((2, 1), {"spectrum_weight": "a"}, "spectrum_weight must be positive and finite; got 'a'"),
        ((2, 1), {"cross_rank": "clamp"}, "cross_rank must be 'raise', 'truncate' or 'schubert'; got 'clamp'"),
        ((2, 1), {"rtol": 1.0}, r"rtol must lie in \[0, 1\); got 1.0"),
    ]:
        with pytest.raises(ValueError, match=message):
            FixedRankSPSD(*arguments, **options)
    assert repr(FixedRankSPSD(3, 2, 0.5, "schubert")) == (
        "FixedRankSPSD(3, 2, spectrum_weight=0.5, cross_rank='schubert')"
    )
