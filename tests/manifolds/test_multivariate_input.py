"""What MultivariateGaussians accepts and refuses: bad matrices, precisions, sizes, shapes and distributions."""

import math

import pytest
import torch
from gaussian_pairs import covariance, random_pair, stacked, standard
from strategies import gaussian
from torch.distributions import Independent, MultivariateNormal, Normal

import geolatent as gl
from geolatent.manifolds import Gaussian


@pytest.fixture
def pairs() -> tuple[Gaussian, Gaussian]:
    return stacked([random_pair(seed, 3) for seed in range(5)])


def spoiled(point: Gaussian, index: int, row: int, column: int, value: float) -> Gaussian:
    matrices = point.covariance_matrix.clone()
    matrices[index, row, column] = value
    return Gaussian(point.loc, matrices)


@pytest.mark.parametrize("method", ["dist", "squared_dist", "log", "geodesic", "dist_bounds", "solve"])
def test_bad_matrices_are_named(pairs: tuple[Gaussian, Gaussian], method: str) -> None:
    start, end = pairs
    call = getattr(gl.manifolds.MultivariateGaussians(3), method)
    with pytest.raises(ValueError, match=r"positive definite; matrix 3 of 5 has smallest eigenvalue -.*ridge"):
        call(start, spoiled(end, 3, 1, 1, -1.0))
    with pytest.raises(ValueError, match=r"symmetric; matrix 2 of 5"):
        call(spoiled(start, 2, 0, 1, 7.0), end)
    with pytest.raises(ValueError, match=r"finite; .* 4 of 5 holds nan"):
        call(start, spoiled(end, 4, 2, 2, math.nan))
    with pytest.raises(ValueError, match=r"finite; .* 1 of 5 holds inf"):
        call(Gaussian(start.loc.index_fill(0, torch.tensor(1), math.inf), start.covariance_matrix), end)
    beyond = torch.diag(torch.tensor([1.0, 1.0, 1e-17], dtype=torch.float64)).expand(5, 3, 3)
    with pytest.raises(ValueError, match=r"condition at most 1e\+16; matrix 0 of 5"):
        call(start, Gaussian(end.loc, beyond))


def test_bad_types_and_shapes_are_named(pairs: tuple[Gaussian, Gaussian]) -> None:
    manifold = gl.manifolds.MultivariateGaussians(3)
    start, _ = pairs
    with pytest.raises(TypeError, match="int64"):
        manifold.dist(start, Gaussian(torch.zeros(3, dtype=torch.int64), torch.eye(3).long()))
    with pytest.raises(TypeError, match="point_b"):
        manifold.dist(start, (start.loc, start.covariance_matrix))
    with pytest.raises(ValueError, match=r"point_b"):
        manifold.dist(start, standard(2))
    with pytest.raises(ValueError, match="broadcast"):
        manifold.dist(start, Gaussian(gaussian(0, 4, 3), torch.eye(3, dtype=torch.float64).expand(4, 3, 3)))
    for size in (0, -1, 2.0):
        with pytest.raises((TypeError, ValueError), match="n"):
            gl.manifolds.MultivariateGaussians(size)


def test_belongs_answers_for_each_matrix(pairs: tuple[Gaussian, Gaussian]) -> None:
    manifold = gl.manifolds.MultivariateGaussians(3)
    bad = spoiled(spoiled(pairs[0], 1, 0, 0, -1.0), 3, 0, 1, math.nan)
    assert manifold.belongs(bad).tolist() == [True, False, True, False, True]


@pytest.mark.parametrize("n", [1, 2, 3, 11])
def test_empty_batches(n: int) -> None:
    manifold = gl.manifolds.MultivariateGaussians(n)
    none = Gaussian(torch.zeros(0, n), torch.zeros(0, n, n))
    assert manifold.dist(none, none).shape == (0,)
    assert manifold.log(none, none).covariance_matrix.shape == (0, n, n)
    assert manifold.exp(none, none).loc.shape == (0, n)
    assert [x.shape for x in manifold.dist_bounds(none, none)] == [(0,), (0,)]
    assert manifold.solve(none, none).unique.shape == (0,)


def test_batch_shapes_broadcast() -> None:
    manifold = gl.manifolds.MultivariateGaussians(2)
    points = manifold.random_point((4, 1), torch.Generator().manual_seed(0))
    others = manifold.random_point((3,), torch.Generator().manual_seed(1))
    table = manifold.dist(points, others)
    assert table.shape == (4, 3)
    one = manifold.dist(Gaussian(*(x[2, 0] for x in points)), Gaussian(*(x[1] for x in others)))
    assert torch.allclose(table[2, 1], one, rtol=1e-13)
    assert manifold.log(others, points).covariance_matrix.shape == (4, 3, 2, 2)


@pytest.mark.parametrize("n", [1, 2, 3, 8])
def test_single_precision(n: int) -> None:
    manifold = gl.manifolds.MultivariateGaussians(n)
    start, end = (Gaussian(*(x.float() for x in point)) for point in random_pair(n, n, condition=10))
    exact_start, exact_end = (Gaussian(*(x.double() for x in point)) for point in (start, end))
    dist = manifold.dist(start, end)
    assert dist.dtype == torch.float32
    eps = torch.finfo(torch.float32).eps
    assert (dist - manifold.dist(exact_start, exact_end)).abs() <= 100 * eps * dist
    log, exact_log = manifold.log(end, start), manifold.log(exact_end, exact_start)
    assert log.covariance_matrix.dtype == torch.float32
    assert torch.allclose(log.covariance_matrix.double(), exact_log.covariance_matrix, rtol=1e-4, atol=1e-4)
    assert manifold.dist(start, start) == 0


def test_half_precision_is_cast_back() -> None:
    start, end = (Gaussian(*(x.bfloat16() for x in p)) for p in (standard(2), Gaussian(*(2 * x for x in standard(2)))))
    assert gl.manifolds.MultivariateGaussians(2).dist(start, end).dtype == torch.bfloat16


def test_sixty_four_dimensions() -> None:
    manifold = gl.manifolds.MultivariateGaussians(64)
    start, end = random_pair(0, 64, condition=1e2, mahalanobis=3.0)
    found = manifold.solve(start, end)
    assert found.lower <= found.dist <= found.upper
    assert (found.dist - manifold.dist(end, start)).abs() <= 1e-11 * found.dist
    reached = manifold.exp(found.velocity, start)
    off = Gaussian(reached.loc - end.loc, reached.covariance_matrix - end.covariance_matrix)
    assert manifold.norm(off, end) <= 1e-9
    tail = Gaussian(torch.zeros(62, dtype=torch.float64), covariance(3, 62))
    small_start, small_end = random_pair(1, 2)
    joined = [
        Gaussian(torch.cat([p.loc, tail.loc]), torch.block_diag(p.covariance_matrix, tail.covariance_matrix))
        for p in (small_start, small_end)
    ]
    expected = gl.manifolds.MultivariateGaussians(2).dist(small_start, small_end)
    assert (manifold.dist(*joined) - expected).abs() <= 1e-11 * expected


@pytest.mark.parametrize("n", [9, 10, 11, 12, 16])
def test_dimensions_around_the_change_of_solver(n: int) -> None:
    # An embedded pair of two dimensions has the distance that it has in two dimensions, in any basis.
    small_start, small_end = random_pair(n, 2)
    basis = torch.linalg.qr(gaussian(n, n, n)).Q
    unit = torch.eye(n - 2, dtype=torch.float64)
    joined = []
    for p in (small_start, small_end):
        loc = basis @ torch.cat([p.loc, torch.zeros(n - 2, dtype=torch.float64)])
        matrix = basis @ torch.block_diag(p.covariance_matrix, unit) @ basis.mT
        joined.append(Gaussian(loc, (matrix + matrix.mT) / 2))
    expected = gl.manifolds.MultivariateGaussians(2).dist(small_start, small_end)
    assert (gl.manifolds.MultivariateGaussians(n).dist(*joined) - expected).abs() <= 1e-11 * expected


def test_distributions_are_points(pairs: tuple[Gaussian, Gaussian]) -> None:
    manifold = gl.manifolds.MultivariateGaussians(3)
    start, end = pairs
    expected = manifold.dist(start, end)
    assert torch.allclose(manifold.dist(MultivariateNormal(*start), end.to_distribution()), expected, rtol=1e-12)
    independent = Independent(Normal(start.loc, torch.ones_like(start.loc)), 1)
    unit = Gaussian(start.loc, torch.eye(3, dtype=torch.float64).expand(5, 3, 3))
    assert torch.allclose(manifold.dist(independent, end), manifold.dist(unit, end), rtol=1e-12)
