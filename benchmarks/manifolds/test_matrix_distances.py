"""Distances between all pairs of 300 positive definite matrices or subspaces: ours, pyRiemann and numpy."""

import pytest
import torch

import geolatent as gl
from geolatent.bench import numpy_angles, numpy_spd_dist

COUNT = 300
PAIRS = COUNT * (COUNT - 1) // 2
METRICS = {gl.manifolds.AffineInvariantSPD: "riemann", gl.manifolds.BuresWassersteinSPD: "wasserstein"}
MANIFOLDS = pytest.mark.parametrize("manifold", [kind(p) for kind in METRICS for p in (8, 16)], ids=str)
SUBSPACES = pytest.mark.parametrize("manifold", [gl.manifolds.Grassmannian(p, 8) for p in (64, 784)], ids=str)


def points(manifold) -> torch.Tensor:
    return manifold.random_point((COUNT,), torch.Generator().manual_seed(0))


def run(benchmark, group: object, call, *arguments, **keywords) -> None:
    benchmark.group = f"{group}, all pairs"
    benchmark.extra_info["pairs"] = PAIRS
    benchmark.pedantic(call, arguments, keywords, rounds=5, warmup_rounds=1)


@MANIFOLDS
def test_geolatent(benchmark, manifold) -> None:
    run(benchmark, manifold, manifold.pairwise_dist, points(manifold))


@MANIFOLDS
def test_pyriemann(benchmark, manifold) -> None:
    peer = pytest.importorskip("pyriemann.geometry.distance")
    run(benchmark, manifold, peer.pairwise_distance, points(manifold).numpy(), metric=METRICS[type(manifold)])


@MANIFOLDS
def test_numpy(benchmark, manifold) -> None:
    run(benchmark, manifold, numpy_spd_dist, points(manifold).numpy(), METRICS[type(manifold)])


@SUBSPACES
def test_geolatent_subspaces(benchmark, manifold) -> None:
    run(benchmark, manifold, manifold.pairwise_dist, points(manifold))


@SUBSPACES
@pytest.mark.parametrize("one_product", [False, True], ids=["batched matmul", "one large matmul"])
def test_numpy_subspaces(benchmark, manifold, one_product: bool) -> None:
    run(benchmark, manifold, numpy_angles, points(manifold).numpy(), one_product)
