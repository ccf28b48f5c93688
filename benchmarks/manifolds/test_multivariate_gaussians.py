"""Fisher-Rao distances of multivariate Gaussians: ours in batches, the peers one pair at a time.

The peers answer a different question from n = 2 on (geomstats a product metric, pyBregMan a curve that is no geodesic:
see benchmarks/library_answers.py), all but the SciPy sketch of the same algorithm; only the times compare.
"""

import numpy as np
import pytest
import scipy.optimize
import torch

import geolatent as gl

DIMENSIONS = pytest.mark.parametrize("n", [2, 3, 5, 8, 16])
PAIRS = {2: 20_000, 3: 20_000, 5: 10_000, 8: 5_000, 16: 500}
PEER_PAIRS = 20


def gaussians(count: int, n: int, seed: int, dtype: torch.dtype = torch.float64) -> gl.manifolds.Gaussian:
    """Means of variance 1; covariances with random axes and log-normal variances, exp(N(0, 1))."""
    generator = torch.Generator().manual_seed(seed)
    axes = torch.linalg.qr(torch.randn(count, n, n, generator=generator, dtype=torch.float64)).Q
    variances = torch.randn(count, 1, n, generator=generator, dtype=torch.float64).exp()
    loc = torch.randn(count, n, generator=generator, dtype=torch.float64)
    return gl.manifolds.Gaussian(loc.to(dtype), (axes * variances @ axes.mT).to(dtype))


def pairs(
    count: int, n: int, dtype: torch.dtype = torch.float64
) -> tuple[gl.manifolds.Gaussian, gl.manifolds.Gaussian]:
    return gaussians(count, n, n, dtype), gaussians(count, n, n + 1, dtype)


def flat(gaussian: gl.manifolds.Gaussian) -> np.ndarray:
    return torch.cat([gaussian.loc, gaussian.covariance_matrix.flatten(1)], -1).numpy()


def record(benchmark, count: int) -> None:
    """Note the pairs, and how many a second, unless timing is switched off."""
    benchmark.extra_info["pairs"] = count
    if benchmark.stats is not None:
        benchmark.extra_info["pairs_per_second"] = round(count / benchmark.stats.stats.median, 1)


@DIMENSIONS
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
def test_geolatent(benchmark, n: int, dtype: torch.dtype) -> None:
    benchmark.group = f"Fisher-Rao distance n={n}"
    a, b = pairs(PAIRS[n], n, dtype)
    benchmark(gl.manifolds.MultivariateGaussians(n).dist, a, b)
    record(benchmark, PAIRS[n])


@DIMENSIONS
def test_scipy_sketch(benchmark, n: int) -> None:
    benchmark.group = f"Fisher-Rao distance n={n}"
    points = [
        (a, b) for a, b in zip(*(zip(*map(np.asarray, g), strict=True) for g in pairs(PEER_PAIRS, n)), strict=True)
    ]
    values = benchmark.pedantic(lambda: [sketch(*a, *b) for a, b in points], rounds=3, warmup_rounds=1)
    ours = gl.manifolds.MultivariateGaussians(n).dist(*pairs(PEER_PAIRS, n))
    np.testing.assert_allclose(values, ours, rtol=1e-6)
    record(benchmark, PEER_PAIRS)


@DIMENSIONS
def test_geomstats(benchmark, n: int) -> None:
    pytest.importorskip("geomstats.backend", exc_type=ImportError, reason="needs geomstats on numpy < 2.4")
    from geomstats.information_geometry.normal import NormalDistributions

    benchmark.group = f"Fisher-Rao distance n={n}"
    metric = NormalDistributions(n).metric
    points = list(zip(*map(flat, pairs(PEER_PAIRS, n)), strict=True))
    benchmark.pedantic(lambda: [metric.dist(a, b) for a, b in points], rounds=5, warmup_rounds=1)
    record(benchmark, PEER_PAIRS)


@pytest.mark.parametrize("n", [2, 3])
def test_pybregman(benchmark, n: int) -> None:
    pytest.importorskip("bregman", reason="needs pyBregMan, on numpy < 2")
    from bregman.application.distribution.exponential_family.gaussian import GaussianFisherRaoDistance, GaussianManifold
    from bregman.base import LAMBDA_COORDS, Point

    benchmark.group = f"Fisher-Rao distance n={n}"
    dist = GaussianFisherRaoDistance(GaussianManifold(n))
    a, b = (Point(LAMBDA_COORDS, flat(gaussian)[0]) for gaussian in pairs(1, n))
    benchmark.pedantic(dist, (a, b), rounds=1)
    record(benchmark, 1)


def sketch(loc_a: np.ndarray, covariance_a: np.ndarray, loc_b: np.ndarray, covariance_b: np.ndarray) -> float:
    """Minimise tr(log^2 G(K)) / 4 over skew K by BFGS, with the gradient from the (1, 3) block of log G."""
    n = len(loc_a)
    lower = np.linalg.inv(np.linalg.cholesky(covariance_a))
    m, S = lower @ (loc_b - loc_a), lower @ covariance_b @ lower.T
    middle = np.eye(2 * n + 1)
    middle[:n, :n], middle[n + 1 :, n + 1 :] = np.linalg.inv(S), S
    upper = np.triu_indices(n, 1)

    def half_energy(k: np.ndarray) -> tuple[float, np.ndarray]:
        K = np.zeros((n, n))
        K[upper] = k
        lift = np.eye(2 * n + 1)
        lift[n, :n], lift[n + 1 :, n], lift[n + 1 :, :n] = m, -m, -np.outer(m, m) / 2 + K - K.T
        values, vectors = np.linalg.eigh(lift @ middle @ lift.T)
        logs = np.log(values)
        Y = (vectors[:n] * logs) @ vectors[n + 1 :].T
        return float(logs @ logs) / 4, (Y.T - Y)[upper]

    return float(np.sqrt(scipy.optimize.minimize(half_energy, np.zeros(len(upper[0])), jac=True, tol=1e-10).fun))
