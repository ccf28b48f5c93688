"""geomstats' matrices and subspaces as an oracle for ours, where they are right. See .ci/geomstats.

Its ``LieCholeskyMetric`` is another metric than log-Cholesky, and its positive semidefinite matrices of fixed rank have
the Bures-Wasserstein quotient metric, not a distance of ranges and spectra: nothing to compare with `FixedRankSPSD`.
"""

import numpy as np
import pytest
from strategies import generator

from geolatent.manifolds import AffineInvariantSPD, BuresWassersteinSPD, Grassmannian, LogEuclideanSPD

pytest.importorskip(
    "geomstats.backend", exc_type=ImportError, reason="geomstats is not installed, or does not run on this numpy"
)

from geomstats.geometry.grassmannian import Grassmannian as Projectors
from geomstats.geometry.spd_matrices import (
    SPDAffineMetric,
    SPDBuresWassersteinMetric,
    SPDLogEuclideanMetric,
    SPDMatrices,
)

TOLERANCE = {"rtol": 1e-10, "atol": 1e-10}
every_metric = pytest.mark.parametrize(
    ("manifold_of", "metric_of", "scale"),
    [
        (AffineInvariantSPD, SPDAffineMetric, 1),
        (LogEuclideanSPD, SPDLogEuclideanMetric, 1),
        (BuresWassersteinSPD, SPDBuresWassersteinMetric, 1),
    ],
    ids=["affine-invariant", "log-Euclidean", "Bures-Wasserstein"],
)


@every_metric
@pytest.mark.parametrize("p", [2, 3, 6])
def test_positive_definite_matrices(manifold_of, metric_of, scale: float, p: int) -> None:
    space = SPDMatrices(p, equip=False)
    space.equip_with_metric(metric_of)
    manifold = manifold_of(p)
    a, b, c = (manifold.random_point((6,), generator(seed)) for seed in range(3))
    A, B = a.numpy(), b.numpy()
    u, v = manifold.log(b, a), manifold.log(c, a)
    np.testing.assert_allclose(manifold.dist(a, b), space.metric.dist(A, B), **TOLERANCE)
    np.testing.assert_allclose(u, space.metric.log(B, A), **TOLERANCE)
    np.testing.assert_allclose(manifold.exp(u / 2, a), space.metric.exp(u.numpy() / 2, A), **TOLERANCE)
    ours = manifold.inner_product(u, v, a)
    np.testing.assert_allclose(ours, scale * space.metric.inner_product(u.numpy(), v.numpy(), A), **TOLERANCE)
    middle = space.metric.geodesic(A[0], B[0])(0.3)
    np.testing.assert_allclose(manifold.geodesic(a[0], b[0])(0.3), np.squeeze(middle), **TOLERANCE)


@pytest.mark.parametrize(("p", "k"), [(4, 1), (5, 2), (9, 4)])
def test_subspaces(p: int, k: int) -> None:
    """Its points are projectors P = A A^T; a vector H at A is H A^T + A H^T there, of twice the squared length."""
    manifold, space = Grassmannian(p, k), Projectors(p, k)
    a, b = (manifold.random_point((5,), generator(seed)) for seed in range(2))
    P, Q = (x @ x.mT for x in (a, b))
    ours = manifold.log(b, a)
    np.testing.assert_allclose(2**0.5 * manifold.dist(a, b), space.metric.dist(P.numpy(), Q.numpy()), **TOLERANCE)
    np.testing.assert_allclose(ours @ a.mT + a @ ours.mT, space.metric.log(Q.numpy(), P.numpy()), **TOLERANCE)
    end = manifold.exp(ours / 2, a)
    theirs = space.metric.exp((ours @ a.mT + a @ ours.mT).numpy() / 2, P.numpy())
    np.testing.assert_allclose(end @ end.mT, theirs, **TOLERANCE)
