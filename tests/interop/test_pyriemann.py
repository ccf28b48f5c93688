"""Positive definite matrices as pyRiemann sees them: the same metrics, to ten digits. See .ci/geomstats.

pyRiemann has neither fixed-rank matrices nor subspaces. Of matrices without full rank it raises or returns NaN, as the
last test holds.
"""

import numpy as np
import pytest
import torch
from strategies import generator

import geolatent as gl
from geolatent.manifolds import AffineInvariantSPD, BuresWassersteinSPD, LogCholeskySPD, LogEuclideanSPD
from geolatent.manifolds.positive_definite import PositiveDefinite

pytest.importorskip("pyriemann.geometry", exc_type=ImportError, reason="needs pyRiemann 0.12 or newer, on numpy >= 2")

from pyriemann.geometry.distance import distance, pairwise_distance
from pyriemann.geometry.geodesic import geodesic
from pyriemann.geometry.mean import gmean
from pyriemann.geometry.tangentspace import exp_map, innerproduct, log_map, transport

TOLERANCE = {"rtol": 1e-10, "atol": 1e-10}
METRICS = {
    "riemann": AffineInvariantSPD,
    "logeuclid": LogEuclideanSPD,
    "wasserstein": BuresWassersteinSPD,
    "logchol": LogCholeskySPD,
}
every_metric = pytest.mark.parametrize("metric", METRICS)
every_size = pytest.mark.parametrize("p", [2, 5, 8, 16])


def points(metric: str, p: int, count: int = 12) -> tuple[PositiveDefinite, torch.Tensor, torch.Tensor]:
    manifold = METRICS[metric](p)
    return manifold, *(manifold.random_point((count,), generator(seed)) for seed in range(2))


def agree(ours: torch.Tensor, theirs: np.ndarray) -> None:
    np.testing.assert_allclose(ours.numpy(), theirs, **TOLERANCE)


@every_size
@every_metric
def test_distances(metric: str, p: int) -> None:
    manifold, a, b = points(metric, p)
    agree(
        manifold.dist(a, b),
        np.array([distance(x, y, metric=metric) for x, y in zip(a.numpy(), b.numpy(), strict=True)]),
    )
    agree(manifold.pairwise_dist(a, b), pairwise_distance(a.numpy(), b.numpy(), metric=metric))
    own, apart = manifold.pairwise_dist(a), ~torch.eye(len(a), dtype=torch.bool)
    agree(own[apart], pairwise_distance(a.numpy(), metric=metric)[apart.numpy()])
    assert (own.diagonal() == 0).all()


@every_size
@every_metric
def test_geodesics(metric: str, p: int) -> None:
    manifold, a, b = points(metric, p)
    agree(manifold.geodesic(a, b)(0.3), geodesic(a.numpy(), b.numpy(), 0.3, metric=metric))


@every_size
@every_metric
def test_logarithms_and_exponentials(metric: str, p: int) -> None:
    manifold, ends, others = points(metric, p)
    base = others[0]
    velocity = manifold.log(ends, base)
    at_the_base = {"riemann": ({"C12": True}, {"Cm12": True})}.get(metric, ({}, {}))  # else seen from the identity
    if metric in ("riemann", "wasserstein"):  # the two others return coordinates of their flat charts
        agree(velocity, log_map(ends.numpy(), base.numpy(), metric=metric, **at_the_base[0]))
        agree(manifold.exp(velocity, base), exp_map(velocity.numpy(), base.numpy(), metric=metric, **at_the_base[1]))


def test_affine_invariant_transport_and_products() -> None:
    manifold, a, b = points("riemann", 5)
    u, v = manifold.log(a, b[0]), manifold.log(a.flip(0), b[0])
    agree(manifold.inner_product(u, v, b[0]), innerproduct(u.numpy(), v.numpy(), b[0].numpy(), metric="riemann"))
    agree(
        manifold.parallel_transport(u, b[0], b[1]), transport(u.numpy(), b[0].numpy(), b[1].numpy(), metric="riemann")
    )


@every_metric
def test_means(metric: str) -> None:
    manifold, a, _ = points(metric, 5)
    options = {"tol": 1e-14, "maxiter": 500} if metric in ("riemann", "wasserstein") else {}
    agree(gl.statistics.frechet_mean(manifold, a).point, gmean(a.numpy(), metric=metric, **options))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_it_answers_about_matrices_without_full_rank() -> None:
    """Where `FixedRankSPSD` has a distance it raises, and from the log-Euclidean metric returns NaN."""
    manifold = gl.manifolds.FixedRankSPSD(4, 2)
    a, b = manifold.random_point((2,), generator(0))
    assert manifold.dist(a, b).isfinite()
    for metric in ("riemann", "logchol", "wasserstein"):
        with pytest.raises((np.linalg.LinAlgError, ValueError), match="positive definite"):
            distance(a.numpy(), b.numpy(), metric=metric)
    assert np.isnan(distance(a.numpy(), b.numpy(), metric="logeuclid"))
