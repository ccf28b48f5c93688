"""Distances of Gaussians of one variable: ours and geomstats on the same points."""

import numpy as np
import pytest
import torch

import geolatent as gl

COUNTS = pytest.mark.parametrize("count", [20_000, 200_000])
MANIFOLD = gl.manifolds.UnivariateGaussians()


def points(count: int, seed: int, dtype: torch.dtype = torch.float64) -> gl.manifolds.DiagonalGaussian:
    return MANIFOLD.random_point((count,), torch.Generator().manual_seed(seed), dtype=dtype)


def record(benchmark, pairs: int) -> None:
    """Note the pairs, and the nanoseconds of each, unless timing is switched off."""
    benchmark.extra_info["pairs"] = pairs
    if benchmark.stats is not None:
        benchmark.extra_info["ns_per_pair"] = round(benchmark.stats.stats.median / pairs * 1e9, 1)


@COUNTS
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
def test_geolatent(benchmark, count: int, dtype: torch.dtype) -> None:
    benchmark.group = "univariate Gaussians, pair by pair"
    benchmark(MANIFOLD.dist, points(count, 0, dtype), points(count, 1, dtype))
    record(benchmark, count)


@COUNTS
def test_geomstats(benchmark, count: int) -> None:
    benchmark.group = "univariate Gaussians, pair by pair"
    normal = pytest.importorskip("geomstats.information_geometry.normal", exc_type=ImportError)
    metric = normal.UnivariateNormalDistributions().metric
    a, b = points(count, 0), points(count, 1)
    theirs = [np.concatenate([p.loc.numpy(), p.scale.numpy()], -1) for p in (a, b)]
    distances = benchmark.pedantic(metric.dist, theirs, rounds=5, warmup_rounds=1)
    assert np.allclose(distances, MANIFOLD.dist(a, b).numpy(), rtol=1e-7)  # its arcosh loses digits of near pairs
    record(benchmark, count)


def test_geolatent_pairwise(benchmark) -> None:
    benchmark.group = "univariate Gaussians, all pairs"
    benchmark(MANIFOLD.pairwise_dist, points(2_000, 0), points(2_000, 1))
    record(benchmark, 2_000**2)
