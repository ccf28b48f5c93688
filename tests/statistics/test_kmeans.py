import importlib
import warnings
from itertools import pairwise

import numpy as np
import pytest
import sklearn.cluster
import torch
from flat_manifold import Flat
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from strategies import gaussian, generator, seeds

from geolatent.manifolds import (
    AffineInvariantSPD,
    BuresWassersteinSPD,
    ConvergenceWarning,
    DiagonalGaussians,
    LogCholeskySPD,
    LogEuclideanSPD,
    MultivariateGaussians,
    Product,
)
from geolatent.manifolds.components import components, map_components
from geolatent.statistics import RiemannianKMeans, frechet_mean, kmeans

kmeans_module = importlib.import_module("geolatent.statistics.kmeans")

MANIFOLDS = [
    DiagonalGaussians(2),
    MultivariateGaussians(2),
    AffineInvariantSPD(3),
    LogEuclideanSPD(3),
    LogCholeskySPD(3),
    BuresWassersteinSPD(3),
    Product(AffineInvariantSPD(2), DiagonalGaussians(1), weights=(2.0, 1.0)),
]
every_manifold = pytest.mark.parametrize("manifold", MANIFOLDS, ids=repr)
few = settings(max_examples=10)
EUCLIDEAN = Flat(torch.eye(4, dtype=torch.float64))


def clusters(manifold, sizes=(9, 7, 8), spread=0.1):
    """Points near random centers, and which center each belongs to."""
    centers = manifold.random_point((len(sizes),), generator(3))
    truth = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
    origins = map_components(lambda x: x[truth], centers)
    others = manifold.random_point((sum(sizes),), generator(4))
    vectors = map_components(lambda x: spread * x, manifold.log(others, origins))
    return manifold.exp(vectors, origins), truth


def same_partition(labels, truth):
    return torch.equal(labels[:, None] == labels, truth[:, None] == truth)


@every_manifold
def test_finds_clusters_and_their_frechet_means(manifold):
    points, truth = clusters(manifold)
    estimator = RiemannianKMeans(manifold, 3, n_init=4, random_state=0).fit(points)
    assert same_partition(estimator.labels_, truth)
    assert torch.equal(estimator.predict(points), estimator.labels_)
    distances = estimator.transform(points)
    assert estimator.inertia_ == pytest.approx(distances.min(1).values.square().sum().item())
    for k in range(3):
        members = map_components(lambda x, k=k: x[estimator.labels_ == k], points)
        center = map_components(lambda x, k=k: x[k], estimator.cluster_centers_)
        assert manifold.dist(frechet_mean(manifold, members).point, center) < 1e-8


@pytest.mark.parametrize("n_clusters", [2, 3, 5])
def test_reaches_the_sum_of_scikit_learn_on_flat_data(n_clusters):
    data = load_iris().data
    ours = kmeans(EUCLIDEAN, torch.from_numpy(data), n_clusters, n_init=8, generator=generator(0))
    theirs = sklearn.cluster.KMeans(n_clusters, n_init=8, random_state=0).fit(data)
    assert ours.inertia == pytest.approx(theirs.inertia_, rel=1e-3)
    assert same_partition(ours.labels, torch.from_numpy(theirs.labels_).long()) or n_clusters == 5
    means = np.stack([data[(ours.labels == k).numpy()].mean(0) for k in range(n_clusters)])
    np.testing.assert_allclose(ours.centers, means, atol=1e-8)


@given(seeds, st.integers(1, 6))
@few
def test_more_rounds_never_raise_the_sum(seed, n_clusters):
    points, sums = gaussian(seed, 20, 4), []
    for max_iter in (1, 2, 4, 30):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            sums.append(kmeans(EUCLIDEAN, points, n_clusters, max_iter=max_iter, generator=generator(seed)).inertia)
    assert all(later <= earlier * (1 + 1e-12) for earlier, later in pairwise(sums))
    found = kmeans(EUCLIDEAN, points, n_clusters, generator=generator(seed))
    assert found.converged
    assert found.labels.bincount(minlength=n_clusters).min() >= 1


@given(seeds)
@few
def test_the_start_draws_distinct_far_points(seed):
    """With as many clusters as separate places, k-means++ finds each: candidates have no weight where a center is."""
    places = 10.0 * torch.arange(6, dtype=torch.float64)[:, None].expand(6, 4)
    found = kmeans(EUCLIDEAN, places.repeat(3, 1), 6, generator=generator(seed))
    assert found.inertia <= 1e-18
    assert found.iterations == 1


def test_an_empty_cluster_starts_anew_at_the_farthest_point():
    points = torch.tensor([[0.0], [0.1], [5.0], [9.0]], dtype=torch.float64)
    manifold = Flat(torch.eye(1, dtype=torch.float64))
    labels, squares = torch.tensor([0, 0, 0, 0]), torch.tensor([0.0, 0.01, 25.0, 81.0])
    means = kmeans_module._means(manifold, points, points[:3], labels, squares)
    assert means.flatten().tolist() == pytest.approx([3.525, 9.0, 5.0])


@pytest.mark.parametrize("n_points", [1, 4])
def test_one_point_and_points_in_one_place(n_points):
    point = DiagonalGaussians(2).random_point((1,), generator(0))
    points = map_components(lambda x: x.repeat(n_points, 1), point)
    found = kmeans(DiagonalGaussians(2), points, n_points, generator=generator(0))
    assert found.inertia < 1e-18
    assert found.labels.shape == (n_points,)


def test_a_seed_decides_and_the_global_state_is_left_alone():
    points, before = gaussian(0, 30, 4), torch.get_rng_state()
    runs = [RiemannianKMeans(EUCLIDEAN, 5, random_state=seed).fit(points) for seed in (1, 1, generator(1))]
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(runs[0].labels_, runs[1].labels_)
    assert torch.equal(runs[0].labels_, runs[2].labels_)
    starts = {kmeans(EUCLIDEAN, points, 5, generator=generator(seed)).inertia for seed in range(8)}
    assert len(starts) > 1
    assert kmeans(EUCLIDEAN, points, 5, n_init=20, generator=generator(0)).inertia <= min(starts) * 1.01


def test_dtype_follows_and_distributions_are_points():
    manifold = DiagonalGaussians(2)
    points, truth = clusters(manifold)
    single = map_components(torch.Tensor.float, points)
    found = kmeans(manifold, single, 3, n_init=4, generator=generator(0))
    assert all(tensor.dtype == torch.float32 for tensor in components(found.centers))
    assert same_partition(found.labels, truth)
    same = kmeans(manifold, torch.distributions.Normal(*single), 3, n_init=4, generator=generator(0))
    assert torch.equal(same.labels, found.labels)


def test_is_an_estimator_of_scikit_learn():
    points, truth = clusters(MANIFOLDS[0])
    estimator = RiemannianKMeans(MANIFOLDS[0], 3, n_init=4, random_state=0)
    assert clone(estimator).get_params()["n_clusters"] == 3
    assert same_partition(clone(estimator).fit_predict(points), truth)
    assert clone(estimator).fit_transform(points).shape == (24, 3)
    with pytest.raises(NotFittedError):
        clone(estimator).predict(points)


def test_warns_where_labels_still_change():
    points = gaussian(0, 200, 4)
    with pytest.warns(ConvergenceWarning, match="labels still change after 1 rounds: raise max_iter"):
        assert not kmeans(EUCLIDEAN, points, 8, max_iter=1, generator=generator(0)).converged


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ((torch.zeros(3, 4), 4), ValueError, "n_clusters must be between 1 and the number of points, 3; got 4"),
        ((torch.zeros(3, 4), 0), ValueError, "n_clusters must be between 1"),
        ((torch.zeros(3, 4), 2.0), TypeError, "n_clusters must be an integer; got 2.0"),
        ((torch.zeros(0, 4), 1), ValueError, r"points must have batch shape \(N,\), N > 0; got \(0,\)"),
        ((torch.zeros(4), 1), ValueError, r"points must have batch shape \(N,\), N > 0; got \(\)"),
        ((torch.full((3, 4), torch.nan), 1), ValueError, "points must be finite"),
    ],
)
def test_refuses_impossible_numbers(arguments, kind, message):
    with pytest.raises(kind, match=message):
        kmeans(EUCLIDEAN, *arguments)


@pytest.mark.parametrize("name", ["n_init", "max_iter"])
def test_refuses_no_starts_and_no_rounds(name):
    with pytest.raises(ValueError, match=f"{name} must be at least 1; got 0"):
        kmeans(EUCLIDEAN, torch.zeros(3, 4), 1, **{name: 0})


def test_refuses_what_is_no_manifold_and_no_seed():
    with pytest.raises(TypeError, match=r"manifold must be one of geolatent.manifolds; got 3: it comes first"):
        RiemannianKMeans(3).fit(torch.zeros(4, 2))
    points = gaussian(0, 6, 4)
    with pytest.raises(TypeError, match=r"random_state must be an integer, a torch.Generator or None; got RandomState"):
        RiemannianKMeans(EUCLIDEAN, 2, random_state=np.random.RandomState(0)).fit(points)
    labels = [RiemannianKMeans(EUCLIDEAN, 2, random_state=seed).fit(points).labels_ for seed in (3, np.int64(3))]
    assert torch.equal(*labels)
