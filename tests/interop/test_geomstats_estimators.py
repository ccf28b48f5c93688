"""geomstats' estimators on our metrics; on its torch backend too, in a process of its own.

Runs in an environment with geomstats (numpy < 2.4); see .ci/geomstats.
"""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from strategies import generator

import geolatent as gl

pytest.importorskip(
    "geomstats.backend", exc_type=ImportError, reason="geomstats is not installed, or does not run on this numpy"
)

import geomstats.backend as gs
from geomstats.learning.frechet_mean import FrechetMean
from geomstats.learning.kmeans import RiemannianKMeans
from geomstats.learning.pca import TangentPCA

from geolatent.interop.geomstats import Space


def near(space: Space, center: np.ndarray, count: int, spread: float) -> np.ndarray:
    """Points whose logarithms at ``center`` have normal random entries, times ``spread`` and the center's unit."""
    gs.random.seed(count)
    vectors = space.random_tangent_vec(center, count)
    return space.metric.exp(spread * vectors / space.metric.norm(vectors, center)[:, None], center)


def test_frechet_mean_of_geomstats_is_ours(manifold) -> None:
    space = Space(manifold)
    center = space.flatten(manifold.random_point(generator=generator(1)))
    points = near(space, center, 12, 0.8)
    weights = np.linspace(1, 2, 12)
    estimator = FrechetMean(space).set(epsilon=1e-22, max_iter=100)  # on the squared norm of the mean logarithm
    for given_weights in (None, weights):
        theirs = estimator.fit(points, weights=given_weights).estimate_
        torch_weights = None if given_weights is None else torch.from_numpy(given_weights)
        ours = gl.statistics.frechet_mean(manifold, space.unflatten(points), torch_weights)
        assert ours.converged.all()
        assert space.metric.dist(theirs, space.flatten(ours.point)) <= 1e-9
        assert space.metric.dist(theirs, center) > 1e-3


def test_kmeans_separates_two_clusters(manifold) -> None:
    space = Space(manifold)
    first = space.flatten(manifold.random_point(generator=generator(1)))
    direction = space.to_tangent(np.ones(space.shape), first)
    second = space.metric.exp(4 * direction / space.metric.norm(direction, first), first)
    points = np.concatenate([near(space, first, 10, 0.5), near(space, second, 12, 0.5)])
    estimator = RiemannianKMeans(space, n_clusters=2, init=points[[0, 3]]).fit(points)  # starts in one cluster
    labels = estimator.labels_
    assert len(set(labels[:10])) == len(set(labels[10:])) == 1
    assert labels[0] != labels[-1]
    np.testing.assert_array_equal(estimator.predict(points), labels)
    centers = estimator.cluster_centers_[labels[[0, -1]]]
    assert (space.metric.dist(centers, np.stack([first, second])) < 0.5).all()


def test_tangent_pca_explains_a_geodesic_by_one_component(manifold) -> None:
    space = Space(manifold)
    a, b = (space.flatten(manifold.random_point(generator=generator(seed))) for seed in (1, 2))
    points = space.metric.geodesic(a, b)(np.linspace(-0.2, 1.3, 9))
    pca = TangentPCA(space, n_components=2).fit(points)
    assert pca.explained_variance_ratio_[0] >= 1 - 1e-12
    scores = pca.transform(points)[:, 0]
    assert (np.diff(scores) > 0).all() or (np.diff(scores) < 0).all()
    np.testing.assert_allclose(np.diff(scores), np.diff(scores)[0], rtol=1e-6)
    back = pca.inverse_transform(pca.transform(points))
    assert (space.metric.dist(back, points) <= 1e-6).all()


PYTORCH = """
import torch
import geomstats.backend as gs
from geomstats.learning.frechet_mean import FrechetMean
import geolatent as gl

space = gl.interop.geomstats.Space(gl.manifolds.MultivariateGaussians(2))
gs.random.seed(0)
points = space.random_point(5)
assert isinstance(points, torch.Tensor) and space.belongs(points).all()
mean = FrechetMean(space).set(epsilon=1e-20).fit(points).estimate_
ours = gl.statistics.frechet_mean(space.manifold, space.unflatten(points))
assert space.metric.dist(mean, space.flatten(ours.point)) <= 1e-9
end = points[0].clone().requires_grad_()
(gradient,) = torch.autograd.grad(space.metric.squared_dist(end, points[1]) / 2, end)
descent = space.metric.inner_product(space.metric.log(points[1], end), space.metric.log(points[2], end), end)
assert torch.allclose(gradient @ space.metric.log(points[2], end), -descent, rtol=1e-8)
print("agreed")
"""


def test_the_pytorch_backend_keeps_tensors_and_gradients() -> None:
    environment = os.environ | {"GEOMSTATS_BACKEND": "pytorch"}
    done = subprocess.run([sys.executable, "-P", "-c", PYTORCH], capture_output=True, text=True, env=environment)
    assert done.stdout.strip() == "agreed", done.stderr
