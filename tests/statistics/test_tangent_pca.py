import numpy as np
import pytest
import torch
from flat_manifold import Flat
from hypothesis import given, settings
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from strategies import gaussian, generator, seeds

from geolatent.manifolds import (
    AffineInvariantSPD,
    BuresWassersteinSPD,
    DiagonalGaussian,
    DiagonalGaussians,
    Gaussian,
    LogCholeskySPD,
    LogEuclideanSPD,
    MultivariateGaussians,
    Product,
    UnivariateGaussians,
)
from geolatent.manifolds.components import components, map_components
from geolatent.statistics import TangentPCA, frechet_mean, tangent_pca
from geolatent.statistics.tangent_vectors import as_rows, from_rows, lowered

MANIFOLDS = [
    UnivariateGaussians(),
    DiagonalGaussians(3),
    MultivariateGaussians(2),
    AffineInvariantSPD(3),
    LogEuclideanSPD(3),
    LogCholeskySPD(3),
    BuresWassersteinSPD(3),
    Product(AffineInvariantSPD(2), DiagonalGaussians(1), weights=(2.0, 1.0)),
]
every_manifold = pytest.mark.parametrize("manifold", MANIFOLDS, ids=repr)
few = settings(max_examples=10)


def spread_of(manifold, count=12, seed=0):
    return manifold.random_point((count,), generator(seed))


def gram(manifold, vectors, base):
    rows = map_components(lambda x: x[:, None], vectors)
    columns = map_components(lambda x: x[None], vectors)
    return manifold.inner_product(rows, columns, base)


@every_manifold
def test_directions_are_orthonormal_and_scores_uncorrelated(manifold):
    points = spread_of(manifold)
    found = tangent_pca(manifold, points)
    k = len(found.explained_variance)
    eye = torch.eye(k, dtype=torch.float64)
    torch.testing.assert_close(gram(manifold, found.components, found.base_point), eye, rtol=0, atol=1e-9)
    covariance = found.scores.mT @ found.scores / 11
    torch.testing.assert_close(covariance, found.explained_variance.diag(), rtol=1e-9, atol=1e-9)
    assert (found.explained_variance.diff() <= 0).all()
    torch.testing.assert_close(found.explained_variance_ratio.sum().item(), 1.0)
    assert manifold.dist(found.base_point, frechet_mean(manifold, points).point) < 1e-9
    assert manifold.norm(found.offset, found.base_point) < 1e-8


@every_manifold
def test_scores_are_the_eigenvectors_of_the_gram_matrix(manifold):
    points = spread_of(manifold)
    found = tangent_pca(manifold, points)
    logs = manifold.log(points, found.base_point)
    values = torch.linalg.eigvalsh(gram(manifold, logs, found.base_point)).flip(0)
    k = len(found.explained_variance)
    torch.testing.assert_close(found.explained_variance * 11, values[:k], rtol=1e-8, atol=1e-8)
    assert (values[k:].abs() < 1e-8 * values[0]).all()
    along = manifold.inner_product(
        map_components(lambda x: x[:, None], logs),
        map_components(lambda x: x[None], found.components),
        found.base_point,
    )
    torch.testing.assert_close(along, found.scores, rtol=1e-7, atol=1e-7)


@every_manifold
def test_all_components_bring_every_point_back(manifold):
    points, others = spread_of(manifold, 15), spread_of(manifold, 4, seed=9)
    estimator = TangentPCA(manifold).fit(points)
    torch.testing.assert_close(estimator.transform(points), tangent_pca(manifold, points).scores, rtol=1e-7, atol=1e-7)
    for some in (points, others):
        back = estimator.inverse_transform(estimator.transform(some))
        assert (manifold.dist(back, some) < 1e-7).all()
    radial = estimator.transform(others).square().sum(1).sqrt()
    torch.testing.assert_close(radial, manifold.dist(others, estimator.base_point_), rtol=1e-6, atol=1e-6)


@every_manifold
def test_a_geodesic_has_one_component_of_constant_speed(manifold):
    a, b = (manifold.random_point(generator=generator(seed)) for seed in (1, 2))
    points = manifold.geodesic(a, b)(torch.linspace(-0.2, 1.3, 9, dtype=torch.float64))
    estimator = TangentPCA(manifold, 2).fit(points)
    assert estimator.explained_variance_ratio_[0] > 1 - 1e-9
    steps = estimator.transform(points)[:, 0].diff().abs()
    torch.testing.assert_close(steps, manifold.dist(a, b).expand(8) * 1.5 / 8, rtol=1e-6, atol=0)


def test_agrees_with_scikit_learn_on_flat_data():
    data = load_iris().data
    pca = PCA().fit(data)
    found = tangent_pca(Flat(torch.eye(4, dtype=torch.float64)), torch.from_numpy(data))
    np.testing.assert_allclose(found.explained_variance, pca.explained_variance_, rtol=1e-10)
    np.testing.assert_allclose(found.explained_variance_ratio, pca.explained_variance_ratio_, rtol=1e-10)
    np.testing.assert_allclose(found.base_point, pca.mean_, rtol=1e-8)
    np.testing.assert_allclose(found.components.abs(), np.abs(pca.components_), atol=1e-7)
    np.testing.assert_allclose(found.scores.abs(), np.abs(pca.transform(data)), atol=1e-6)
    largest = found.components.gather(1, found.components.abs().argmax(1, keepdim=True))
    assert (largest > 0).all()


@given(seeds)
@few
def test_variances_do_not_depend_on_the_coordinates(seed):
    """Points x with the metric G are the points A x with A^-T G A^-1."""
    x, A = gaussian(seed, 20, 3), gaussian(seed + 1, 3, 3) + 3 * torch.eye(3, dtype=torch.float64)
    metric = A.mT @ A
    flat, bent = Flat(torch.eye(3, dtype=torch.float64)), Flat(metric)
    ours, theirs = tangent_pca(bent, x), tangent_pca(flat, x @ A.mT)
    torch.testing.assert_close(ours.explained_variance, theirs.explained_variance)
    torch.testing.assert_close(ours.scores.abs(), theirs.scores.abs(), rtol=1e-5, atol=1e-6)


def test_affine_maps_of_gaussians_change_no_score():
    manifold, A = MultivariateGaussians(2), gaussian(3, 2, 2) + 2 * torch.eye(2, dtype=torch.float64)
    points = spread_of(manifold)
    moved = A @ points.covariance_matrix @ A.mT
    moved = Gaussian(points.loc @ A.mT + 1, (moved + moved.mT) / 2)
    ours, theirs = tangent_pca(manifold, points), tangent_pca(manifold, moved)
    torch.testing.assert_close(ours.explained_variance, theirs.explained_variance, rtol=1e-7, atol=0)
    torch.testing.assert_close(ours.scores.abs(), theirs.scores.abs(), rtol=1e-5, atol=1e-6)


def test_another_base_point_is_centred_by_its_offset():
    manifold, base = DiagonalGaussians(2), DiagonalGaussian(*torch.tensor([[0.3, 0.2], [1.0, 2.0]]).double())
    points = spread_of(manifold)
    estimator = TangentPCA(manifold, base_point=base).fit(points)
    logs = manifold.log(points, base)
    torch.testing.assert_close(estimator.offset_.loc, logs.loc.mean(0))
    assert estimator.transform(points).mean(0).abs().max() < 1e-12
    scores = tangent_pca(manifold, points, base_point=base).scores
    torch.testing.assert_close(scores, estimator.transform(points))
    torch.testing.assert_close((scores.mT @ scores).triu(1), torch.zeros(4, 4, dtype=torch.float64), rtol=0, atol=1e-9)
    back = estimator.inverse_transform(estimator.transform(points))
    assert (manifold.dist(back, points) < 1e-9).all()


@every_manifold
def test_rows_and_covectors_carry_the_metric(manifold):
    base, points = manifold.random_point(generator=generator(5)), spread_of(manifold, 6)
    vectors = manifold.log(points, base)
    rows = as_rows(vectors, manifold.event_ndims)
    for ours, theirs in zip(components(from_rows(rows, base)), components(vectors), strict=True):
        assert torch.equal(ours, theirs)
    torch.testing.assert_close(rows @ lowered(manifold, vectors, base).mT, gram(manifold, vectors, base))


def test_dtype_follows_and_no_gradient_is_kept():
    manifold = DiagonalGaussians(2)
    points = map_components(lambda x: x.float().requires_grad_(), spread_of(manifold))
    found = tangent_pca(manifold, points, 2)
    assert found.scores.dtype == found.components.loc.dtype == found.explained_variance.dtype == torch.float32
    assert not found.scores.requires_grad
    assert found.scores.shape == (12, 2)


def test_is_an_estimator_of_scikit_learn():
    manifold = DiagonalGaussians(2)
    points = spread_of(manifold)
    estimator = clone(TangentPCA(manifold, 2))
    assert estimator.get_params()["n_components"] == 2
    with pytest.raises(NotFittedError):
        estimator.transform(points)
    torch.testing.assert_close(estimator.fit_transform(points), tangent_pca(manifold, points, 2).scores)
    assert estimator.n_components_ == 2


@pytest.mark.parametrize(
    ("points", "changes", "message"),
    [
        (torch.zeros(1, 3), {}, r"points must have batch shape \(N,\), N at least 2; got \(1,\)"),
        (torch.zeros(3), {}, r"got \(\)"),
        (torch.zeros(2, 2, 3), {}, r"got \(2, 2\)"),
        (torch.eye(3), {"n_components": 0}, "n_components must be at least 1; got 0"),
        (torch.eye(3), {"base_point": torch.zeros(2, 3)}, r"base_point must be one point; got batch shape \(2,\)"),
        (torch.full((3, 3), torch.nan), {}, "points must be finite"),
        (torch.ones(3, 3), {}, "points must differ"),
    ],
)
def test_refuses_sets_without_directions(points, changes, message):
    with pytest.raises(ValueError, match=message):
        tangent_pca(Flat(torch.eye(3)), points, **changes)


def test_refuses_a_number_that_is_none():
    with pytest.raises(TypeError, match=r"n_components must be an integer or None; got 1\.5"):
        tangent_pca(Flat(torch.eye(3)), torch.eye(3), 1.5)


def test_scores_of_another_number_of_components_are_refused():
    estimator = TangentPCA(MANIFOLDS[0], 1).fit(MANIFOLDS[0].random_point((5,), generator(0)))
    with pytest.raises(ValueError, match=r"X must have shape \(M, 1\); got \(3, 5\): give scores"):
        estimator.inverse_transform(torch.zeros(3, 5))
