import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks
from strategies import dtypes, gaussian, generator, seeds

import geolatent as gl
from geolatent.embeddings import HilbertEmbedding, centred_kernel, definiteness

few = settings(max_examples=20)


def squared_distances(X, Y=None):
    return (X[:, None] - (X if Y is None else Y)).square().sum(-1)


@parametrize_with_checks([HilbertEmbedding(), HilbertEmbedding(threshold=1.0)])
def test_scikit_learn_estimator_checks(estimator, check):
    check(estimator)


@given(seeds, st.integers(2, 12), st.integers(1, 4), dtypes)
@few
def test_keeps_euclidean_distances(seed, n, d, dtype):
    D2 = squared_distances(gaussian(seed, n, d, dtype=dtype))
    fitted = HilbertEmbedding(threshold=1.0).fit(D2)
    assert fitted.embedding_.dtype == dtype
    slack = 100 * n * torch.finfo(dtype).eps * D2.max()
    assert (squared_distances(fitted.embedding_) - D2).abs().max() <= slack
    assert fitted.negative_mass_ <= 100 * n * torch.finfo(dtype).eps


@given(seeds)
@few
def test_further_points_fall_where_principal_components_put_them(seed):
    X, Y = gaussian(seed, 15, 4), gaussian(seed + 1, 6, 4)
    embedding = HilbertEmbedding(threshold=1.0).fit(squared_distances(X))
    pca = PCA(4).fit(X.numpy())
    signs = (embedding.embedding_ * torch.from_numpy(pca.transform(X.numpy()))).sum(0).sign()
    expected = torch.from_numpy(pca.transform(Y.numpy())) * signs
    torch.testing.assert_close(embedding.transform(squared_distances(Y, X)), expected, rtol=1e-8, atol=1e-8)
    torch.testing.assert_close(embedding.transform(squared_distances(X)), embedding.embedding_, rtol=1e-8, atol=1e-8)


def test_dimension_and_negative_mass_are_those_of_the_kernel():
    manifold = gl.manifolds.MultivariateGaussians(2)
    D2 = manifold.pairwise_dist(manifold.random_point((30,), generator(0))).square()
    embedding = HilbertEmbedding(threshold=0.9).fit(D2)
    audit = definiteness(centred_kernel(D2))
    torch.testing.assert_close(embedding.eigenvalues_, audit.eigenvalues)
    assert embedding.negative_mass_ == pytest.approx(audit.negative_mass)
    assert embedding.negative_mass_ > 1e-3
    share = audit.eigenvalues.cumsum(0) / audit.eigenvalues.clamp_min(0).sum()
    k = embedding.dimension_
    assert share[k - 1] >= 0.9 > share[k - 2]
    assert embedding.embedding_.shape == (30, k)
    torch.testing.assert_close(embedding.transform(D2), embedding.embedding_)
    assert HilbertEmbedding(threshold=0.5).fit(D2).dimension_ < k


@pytest.mark.parametrize("name", ["DiagonalGaussians", "MultivariateGaussians"])
def test_a_manifold_takes_points_in_its_own_form(name):
    manifold = getattr(gl.manifolds, name)(2)
    points, others = manifold.random_point((12,), generator(0)), manifold.random_point((5,), generator(1))
    on_points = HilbertEmbedding(manifold=manifold)
    on_distances = HilbertEmbedding().fit(manifold.pairwise_dist(points).square())
    assert torch.equal(on_points.fit_transform(points), on_distances.embedding_)
    expected = on_distances.transform(manifold.pairwise_dist(others, points).square())
    assert torch.equal(on_points.transform(others), expected)
    assert on_points.n_features_in_ == 12
    assert on_points.metric is None


def test_points_in_one_place_have_dimension_zero():
    embedding = HilbertEmbedding().fit(torch.zeros(4, 4))
    assert (embedding.dimension_, embedding.negative_mass_) == (0, 0.0)
    assert embedding.transform(torch.zeros(2, 4)).shape == (2, 0)


def test_arrays_give_arrays_and_tensors_tensors():
    D2 = squared_distances(gaussian(0, 8, 3))
    array = HilbertEmbedding().fit_transform(D2.numpy())
    assert isinstance(array, np.ndarray)
    np.testing.assert_array_equal(array, HilbertEmbedding().fit_transform(D2).numpy())
    frame = HilbertEmbedding().set_output(transform="pandas").fit_transform(D2.numpy())
    assert list(frame.columns) == [f"hilbertembedding{k}" for k in range(array.shape[1])]
    assert clone(HilbertEmbedding(0.7)).threshold == 0.7


@pytest.mark.parametrize(
    ("table", "kind", "message"),
    [
        (torch.tensor([[0.0, 1.0], [2.0, 0.0]]), ValueError, "must be symmetric"),
        (torch.ones(3, 3), ValueError, "must have a zero diagonal"),
        (torch.full((3, 3), torch.nan), ValueError, "must be finite"),
        (torch.zeros(1, 1), ValueError, "at least two points; got 1"),
        (torch.zeros(0, 0), ValueError, "at least two points; got 0"),
        (torch.zeros(3, 3, dtype=torch.int64), TypeError, "must be real floating point"),
        (np.ones((3, 3)), ValueError, "must have a zero diagonal"),
        (np.zeros((1, 1)), ValueError, "1 sample"),
    ],
)
def test_refuses_what_are_no_squared_distances(table, kind, message):
    with pytest.raises(kind, match=message):
        HilbertEmbedding().fit(table)


def test_refuses_other_thresholds_sizes_and_an_unfitted_transform():
    with pytest.raises(ValueError, match=r"threshold must lie in \(0, 1\]; got 0"):
        HilbertEmbedding(0).fit(torch.zeros(2, 2))
    with pytest.raises(TypeError, match="threshold must be a real number; got '95%'"):
        HilbertEmbedding("95%").fit(torch.zeros(2, 2))
    with pytest.raises(TypeError, match="X must be a table of squared distances; got a tuple of 2: give HilbertEmb"):
        HilbertEmbedding().fit((torch.eye(2).repeat(3, 1, 1), torch.eye(3).repeat(3, 1, 1)))
    with pytest.raises(ValueError, match=r"X must have shape \(m, 3\); got \(2, 4\)"):
        HilbertEmbedding().fit(torch.zeros(3, 3)).transform(torch.zeros(2, 4))
    with pytest.raises(NotFittedError):
        HilbertEmbedding().transform(torch.zeros(2, 2))
    manifold = gl.manifolds.DiagonalGaussians(2)
    with pytest.raises(ValueError, match="at least two points; got 1"):
        HilbertEmbedding(manifold=manifold).fit(manifold.random_point((1,), generator(0)))
