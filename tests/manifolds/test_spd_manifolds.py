"""The metrics of positive definite matrices against closed forms, mpmath and SciPy."""

import mpmath
import numpy as np
import pytest
import scipy.linalg
import torch
from manifold_cases import assert_close
from scipy.integrate import solve_ivp
from strategies import gaussian, generator
from torch import Tensor

from geolatent.divergences import wasserstein_distance
from geolatent.manifolds import (
    AffineInvariantSPD,
    BuresWassersteinSPD,
    Gaussian,
    LogCholeskySPD,
    LogEuclideanSPD,
    MultivariateGaussians,
)
from geolatent.manifolds.positive_definite import PositiveDefinite

EPS = torch.finfo(torch.float64).eps
KINDS = ["random", "near", "nearer", "ill", "graded", "far scale"]
every_metric = pytest.mark.parametrize(
    "manifold_of", [AffineInvariantSPD, LogEuclideanSPD, BuresWassersteinSPD, LogCholeskySPD], ids=lambda f: f.__name__
)


def pair(kind: str, p: int = 4) -> tuple[Tensor, Tensor]:
    a, b = AffineInvariantSPD(p).random_point((2,), generator(KINDS.index(kind)))
    move = gaussian(7, p, p)
    if kind in ("near", "nearer"):
        b = a + (1e-4 if kind == "near" else 1e-9) * (move + move.mT)
    if kind == "ill":
        frame = torch.linalg.qr(move).Q
        a = frame @ torch.diag(torch.logspace(0, -6, p, dtype=a.dtype)) @ frame.mT
        a = (a + a.mT) / 2
    if kind == "graded":
        scale = torch.logspace(0, -4, p, dtype=a.dtype)
        a, b = scale[:, None] * a * scale, scale[:, None] * b * scale
    if kind == "far scale":
        b = 1e-8 * b
    return a, b


def condition(*matrices: Tensor) -> float:
    return max(torch.linalg.cond(matrix).item() for matrix in matrices)


def exact(name: str, a: Tensor, b: Tensor) -> float:
    """The distance by the textbook formula, in 60 digits."""
    with mpmath.workdps(60):
        first, second = (mpmath.matrix(x.tolist()) for x in (a, b))
        return float(mpmath.sqrt(SQUARED[name](first, second)))


def _function(matrix: mpmath.matrix, function) -> mpmath.matrix:
    values, vectors = mpmath.eigsy((matrix + matrix.T) / 2)
    return vectors * mpmath.diag([function(value) for value in values]) * vectors.T


def _norm(matrix: mpmath.matrix) -> mpmath.mpf:
    return mpmath.fsum(entry**2 for entry in matrix)


def _affine_invariant(a: mpmath.matrix, b: mpmath.matrix) -> mpmath.mpf:
    root = _function(a, lambda x: 1 / mpmath.sqrt(x))
    return _norm(_function(root * b * root, mpmath.log))


def _bures_wasserstein(a: mpmath.matrix, b: mpmath.matrix) -> mpmath.mpf:
    root = _function(a, mpmath.sqrt)
    middle = _function(root * b * root, mpmath.sqrt)
    return mpmath.fsum(a[i, i] + b[i, i] - 2 * middle[i, i] for i in range(a.rows))


def _log_cholesky(a: mpmath.matrix, b: mpmath.matrix) -> mpmath.mpf:
    first, second = mpmath.cholesky(a), mpmath.cholesky(b)
    n = a.rows
    below = mpmath.fsum((first[i, j] - second[i, j]) ** 2 for i in range(n) for j in range(i))
    return below + mpmath.fsum(mpmath.log(first[i, i] / second[i, i]) ** 2 for i in range(n))


SQUARED = {
    "AffineInvariantSPD": _affine_invariant,
    "LogEuclideanSPD": lambda a, b: _norm(_function(a, mpmath.log) - _function(b, mpmath.log)),
    "BuresWassersteinSPD": _bures_wasserstein,
    "LogCholeskySPD": _log_cholesky,
}


def bound(name: str, a: Tensor, b: Tensor, d: float) -> float:
    """The error that ``Accuracy`` of the manifold allows."""
    p, kappa = len(a), condition(a, b)
    relative = torch.linalg.eigvals(torch.linalg.solve(a, b)).real
    spread = (relative.max() / relative.min()).item()
    scale = max(torch.linalg.cholesky(x).abs().max().item() for x in (a, b))
    return {
        "AffineInvariantSPD": 20 * p * EPS * (d + max(condition(a), spread)),
        "LogEuclideanSPD": 40 * p * EPS * (kappa + d),
        "BuresWassersteinSPD": 100 * p * EPS * condition(a) * d,
        "LogCholeskySPD": 20 * p * EPS * kappa * (1 + scale),
    }[name]


@every_metric
@pytest.mark.parametrize("kind", KINDS)
def test_distances_against_sixty_digits(manifold_of: type[PositiveDefinite], kind: str) -> None:
    a, b = pair(kind)
    name, manifold = manifold_of.__name__, manifold_of(len(a))
    expected = exact(name, a, b)
    tolerance = bound(name, a, b, expected)
    assert abs(manifold.dist(a, b).item() - expected) <= tolerance
    assert abs(manifold.pairwise_dist(a[None], b[None]).item() - expected) <= tolerance
    if kind == "nearer" and manifold_of in (AffineInvariantSPD, BuresWassersteinSPD):
        assert abs(manifold.dist(a, b).item() / expected - 1) <= 20 * len(a) * EPS * condition(a)


def test_affine_invariant_distances_are_those_of_generalised_eigenvalues() -> None:
    a, b = AffineInvariantSPD(5).random_point((2, 20), generator(0))
    expected = [np.linalg.norm(np.log(scipy.linalg.eigvalsh(y, x))) for x, y in zip(a.numpy(), b.numpy(), strict=True)]
    manifold = AffineInvariantSPD(5)
    assert_close(manifold.dist(a, b), torch.tensor(expected), 1e-12)
    assert_close(manifold.dist(a.inverse(), b.inverse()), manifold.dist(a, b), 1e-10)
    gaussians = [Gaussian(torch.zeros(20, 5, dtype=a.dtype), x) for x in (a, b)]
    assert_close(2 * MultivariateGaussians(5).squared_dist(*gaussians), manifold.squared_dist(a, b), 1e-11)


def test_affine_invariant_transport_is_a_congruence() -> None:
    a, b = pair("random")
    v = gaussian(3, 4, 4) + gaussian(3, 4, 4).mT
    e = torch.from_numpy(np.real(scipy.linalg.sqrtm((b @ a.inverse()).numpy())))
    assert_close(AffineInvariantSPD(4).parallel_transport(v, a, b), e @ v @ e.mT, 1e-11)


def test_log_euclidean_maps_are_frechet_derivatives() -> None:
    a, b = pair("random")
    v = gaussian(3, 4, 4) + gaussian(3, 4, 4).mT
    start, end = (scipy.linalg.logm(x.numpy()) for x in (a, b))
    manifold = LogEuclideanSPD(4)
    velocity = scipy.linalg.expm_frechet(start, end - start, compute_expm=False)
    assert_close(manifold.log(b, a), torch.from_numpy(velocity), 1e-11)
    u = 1e-5
    difference = (scipy.linalg.logm((a + u * v).numpy()) - scipy.linalg.logm((a - u * v).numpy())) / (2 * u)
    assert_close(manifold.inner_product(v, v, a), torch.tensor((difference**2).sum()), 1e-7)


@every_metric
def test_geodesics_of_commuting_matrices(manifold_of: type[PositiveDefinite]) -> None:
    manifold = manifold_of(3)
    x, y = gaussian(0, 2, 3).exp()
    t = 0.3
    between = (
        ((1 - t) * x.sqrt() + t * y.sqrt()).square() if manifold_of is BuresWassersteinSPD else x ** (1 - t) * y**t
    )
    assert_close(manifold.geodesic(x.diag(), y.diag())(t), between.diag(), 1e-13)


def test_log_cholesky_interpolates_determinants() -> None:
    a, b = pair("random")
    middle = LogCholeskySPD(4).geodesic(a, b)(0.3)
    assert_close(middle.logdet(), 0.7 * a.logdet() + 0.3 * b.logdet(), 1e-12)


def test_bures_wasserstein_is_the_distance_of_centred_gaussians() -> None:
    a, b = BuresWassersteinSPD(4).random_point((2, 10), generator(0))
    gaussians = [Gaussian(torch.zeros(10, 4, dtype=a.dtype), x) for x in (a, b)]
    assert_close(BuresWassersteinSPD(4).dist(a, b), wasserstein_distance(*gaussians), 1e-12)


def test_bures_wasserstein_transport_solves_its_equation() -> None:
    """K' P + P K' = -(K D + D^T K) with P = X X^T, D = X' X^T, integrated by SciPy; then commuting matrices."""
    manifold = BuresWassersteinSPD(3)
    a, b = manifold.random_point((2,), generator(0))
    v = gaussian(3, 3, 3) + gaussian(3, 3, 3).mT
    for end in (b, 30 * b, a + 1e-3 * b):
        stretch = scipy.linalg.solve_continuous_lyapunov(a.numpy(), manifold.log(end, a).numpy())

        def slope(t: float, k: np.ndarray, stretch: np.ndarray = stretch) -> np.ndarray:
            at = np.eye(3) + t * stretch
            lift, rate = k.reshape(3, 3), stretch @ a.numpy() @ at
            half = lift @ rate
            return scipy.linalg.solve_continuous_lyapunov(at @ a.numpy() @ at, -(half + half.T)).ravel()

        start = scipy.linalg.solve_continuous_lyapunov(a.numpy(), v.numpy())
        lift = solve_ivp(slope, (0, 1), start.ravel(), "DOP853", rtol=1e-12, atol=1e-13).y[:, -1].reshape(3, 3)
        expected = lift @ end.numpy() + end.numpy() @ lift
        assert_close(manifold.parallel_transport(v, a, end), torch.from_numpy(expected), 1e-10)
    x, y, w = gaussian(5, 3, 3).exp()
    moved = manifold.parallel_transport(w.diag(), x.diag(), y.diag())
    assert_close(moved, (w * (y / x).sqrt()).diag(), 1e-12)


def test_bures_wasserstein_transport_keeps_products_when_matrices_differ_much() -> None:
    manifold = BuresWassersteinSPD(3)
    a = manifold.random_point((8,), generator(0))
    u, v = (gaussian(seed, 8, 3, 3) + gaussian(seed, 8, 3, 3).mT for seed in (1, 2))
    frame = torch.linalg.qr(gaussian(3, 3, 3)).Q
    stretch = frame @ torch.diag(torch.tensor([0.1, 1.0, 10.0], dtype=a.dtype)) @ frame.mT
    b = stretch @ a @ stretch
    b = (b + b.mT) / 2
    products = [manifold.inner_product(*w) for w in ((u, v, a), (u, u, a), (v, v, a))]
    moved = manifold.inner_product(*(manifold.parallel_transport(w, a, b) for w in (u, v)), b)
    tolerance = 20 * 3 * EPS * torch.linalg.cond(a) * torch.linalg.cond(b)
    assert ((moved - products[0]).abs() <= tolerance * (products[1] * products[2]).sqrt()).all()


def test_bures_wasserstein_transport_under_transforms() -> None:
    a, b = pair("random", 2)
    v = torch.eye(2, dtype=a.dtype)

    def transport(x: Tensor) -> Tensor:
        return BuresWassersteinSPD(2).parallel_transport(v, a + x * v, b)

    x, h = torch.tensor(0.1, dtype=a.dtype), 1e-5
    difference = (transport(x + h) - transport(x - h)) / (2 * h)
    _, tangent = torch.func.jvp(transport, (x,), (torch.ones_like(x),))
    assert_close(tangent, difference, 1e-7)
    assert_close(torch.func.vmap(transport)(x[None])[0], transport(x), 1e-10)
