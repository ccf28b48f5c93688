"""Distances of diagonal Gaussians of 10 coordinates: ours and geomstats on the same points."""

import numpy as np
import pytest
import torch

import geolatent as gl

N = 10
COUNT = 100_000
PEER_COUNT = 20_000  # fewer, so that the temporary arrays of the peer stay small: its fastest size
POINTS = 1_000  # of the table of all distances
MANIFOLD = gl.manifolds.DiagonalGaussians(N)


def points(count: int, seed: int, dtype: torch.dtype = torch.float64) -> gl.manifolds.DiagonalGaussian:
    return MANIFOLD.random_point((count,), torch.Generator().manual_seed(seed), dtype=dtype)


def record(benchmark, pairs: int) -> None:
    """Note the pairs, and the nanoseconds of each, unless timing is switched off."""
    benchmark.extra_info["pairs"] = pairs
    if benchmark.stats is not None:
        benchmark.extra_info["ns_per_pair"] = round(benchmark.stats.stats.median / pairs * 1e9, 1)


@pytest.mark.parametrize("count", [2_000, COUNT])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
def test_geolatent(benchmark, count: int, dtype: torch.dtype) -> None:
    benchmark.group = f"diagonal Gaussians n={N}, pair by pair"
    benchmark(MANIFOLD.dist, points(count, 0, dtype), points(count, 1, dtype))
    record(benchmark, count)


def test_geolatent_with_gradient(benchmark) -> None:
    benchmark.group = f"diagonal Gaussians n={N}, with gradient"
    a = gl.manifolds.DiagonalGaussian(*(x.requires_grad_() for x in points(COUNT, 0)))
    b = points(COUNT, 1)
    benchmark(lambda: torch.autograd.grad(MANIFOLD.dist(a, b).sum(), a))
    record(benchmark, COUNT)


def test_geomstats(benchmark) -> None:
    benchmark.group = f"diagonal Gaussians n={N}, pair by pair"
    normal = pytest.importorskip("geomstats.information_geometry.normal", exc_type=ImportError)
    metric = normal.DiagonalNormalDistributions(N).metric
    a, b = points(PEER_COUNT, 0), points(PEER_COUNT, 1)
    theirs = [
        np.concatenate([p.loc.numpy(), p.scale.square().numpy()], -1) for p in (a, b)
    ]  # its points hold variances
    distances = benchmark.pedantic(metric.dist, theirs, rounds=5, warmup_rounds=1)
    assert np.allclose(distances, MANIFOLD.dist(a, b).numpy(), rtol=1e-10)
    record(benchmark, PEER_COUNT)


def test_geolatent_pairwise(benchmark) -> None:
    benchmark.group = f"diagonal Gaussians n={N}, all pairs"
    benchmark(MANIFOLD.pairwise_dist, points(POINTS, 0), points(POINTS, 1))
    record(benchmark, POINTS**2)
