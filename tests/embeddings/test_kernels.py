import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics.pairwise import rbf_kernel
from strategies import dtypes, gaussian, generator, seeds

import geolatent as gl
from geolatent.embeddings import centred_kernel, definiteness, gaussian_kernel

few = settings(max_examples=20)


def squared_distances(X):
    return (X[:, None] - X).square().sum(-1)


@given(seeds, st.integers(2, 12), st.integers(1, 4), dtypes)
@few
def test_of_euclidean_points_it_is_the_centred_gram_matrix(seed, n, d, dtype):
    X = gaussian(seed, n, d, dtype=dtype)
    D2 = squared_distances(X)
    kernel = centred_kernel(D2)
    Y = X - X.mean(0)
    eps = torch.finfo(dtype).eps
    assert (kernel - Y @ Y.mT).abs().max() <= (8 + 8 * d) * eps * D2.max()
    assert torch.equal(kernel, kernel.mT)
    J = torch.eye(n, dtype=torch.float64) - 1 / n
    assert (kernel.double() - -J @ D2.double() @ J / 2).abs().max() <= 8 * eps * D2.max()
    assert definiteness(kernel).positive_semidefinite
    assert definiteness(kernel).negative_mass < 1e3 * eps


def test_gaussian_kernel_is_that_of_scikit_learn():
    X, Y = gaussian(0, 5, 3), gaussian(1, 7, 3)
    D2 = (X[:, None] - Y).square().sum(-1)
    np.testing.assert_allclose(gaussian_kernel(D2, 0.7), rbf_kernel(X, Y, gamma=0.7), rtol=1e-12)
    default = gaussian_kernel(D2)
    torch.testing.assert_close(default, (-D2 / D2.median()).exp())


@given(seeds, st.floats(1e-3, 1e3))
@few
def test_gaussian_kernel_of_points_is_positive_semidefinite_at_every_width(seed, gamma):
    kernel = gaussian_kernel(squared_distances(gaussian(seed, 15, 3)), gamma)
    audit = definiteness(kernel)
    assert audit.positive_semidefinite
    assert torch.equal(kernel.diagonal(), torch.ones(15, dtype=torch.float64))


def test_the_hyperbolic_plane_is_of_no_negative_type_and_the_audit_says_so():
    manifold = gl.manifolds.UnivariateGaussians()
    points = manifold.random_point((40,), generator(0))
    audit = definiteness(centred_kernel(manifold.pairwise_dist(points).square()))
    assert not audit.positive_semidefinite
    expected = torch.linalg.eigvalsh(centred_kernel(manifold.pairwise_dist(points).square()))
    assert audit.smallest_eigenvalue == pytest.approx(expected[0].item())
    mass = -expected.clamp_max(0).sum() / expected.clamp_min(0).sum()
    assert audit.negative_mass == pytest.approx(mass.item(), rel=1e-9)
    assert 1e-3 < audit.negative_mass < 0.5
    torch.testing.assert_close(audit.eigenvalues, expected.flip(0))


def test_audit_of_definite_indefinite_and_zero_kernels():
    assert definiteness(torch.eye(3)).negative_mass == 0.0
    assert definiteness(torch.zeros(3, 3))[1:] == (0.0, 0.0, True)
    assert definiteness(-torch.eye(3)).negative_mass == math.inf
    assert not definiteness(torch.tensor([[1.0, 1.001], [1.001, 1.0]])).positive_semidefinite


BAD = [
    (torch.zeros(3, 4), ValueError, r"squared_dist must have shape \(n, n\); got \(3, 4\)"),
    (torch.zeros(1, 1), ValueError, "squared_dist must hold at least two points; got 1"),
    (torch.zeros(0, 0), ValueError, "squared_dist must hold at least two points; got 0"),
    (
        torch.tensor([[0.0, 1.0], [2.0, 0.0]]),
        ValueError,
        r"must be symmetric; entries \(0, 1\) and \(1, 0\) differ by 1",
    ),
    (torch.ones(2, 2), ValueError, "must have a zero diagonal; entry 0 of 2 of the diagonal is 1"),
    (torch.tensor([[0.0, -1.0], [-1.0, 0.0]]), ValueError, r"must not be negative; entry \(0, 1\) is -1"),
    (torch.tensor([[0.0, torch.nan], [torch.nan, 0.0]]), ValueError, r"must be finite; entry \(0, 1\) is nan"),
    (torch.tensor([[0.0, torch.inf], [torch.inf, 0.0]]), ValueError, r"must be finite; entry \(0, 1\) is inf"),
    (torch.zeros(2, 2, dtype=torch.int64), TypeError, "squared_dist must be real floating point"),
    (np.zeros((2, 2)), TypeError, "squared_dist must be a torch.Tensor"),
]


@pytest.mark.parametrize(("table", "kind", "message"), BAD)
def test_refuses_what_are_no_squared_distances(table, kind, message):
    with pytest.raises(kind, match=message):
        centred_kernel(table)


def test_gaussian_kernel_and_audit_refuse_bad_input():
    with pytest.raises(ValueError, match="must not be negative"):
        gaussian_kernel(torch.tensor([[-1.0, 2.0]]), 1.0)
    with pytest.raises(ValueError, match="gamma must be positive and finite; got 0"):
        gaussian_kernel(torch.ones(2, 2), 0)
    with pytest.raises(TypeError, match="gamma must be a real number; got 'scale': leave it out"):
        gaussian_kernel(torch.ones(2, 2), "scale")
    with pytest.raises(ValueError, match="gamma must be given where no squared distance is positive"):
        gaussian_kernel(torch.zeros(2, 2))
    with pytest.raises(ValueError, match="kernel must be symmetric"):
        definiteness(torch.tensor([[0.0, 1.0], [2.0, 0.0]]))


def test_rounding_of_the_caller_is_forgiven():
    D2 = squared_distances(gaussian(0, 30, 3, dtype=torch.float32))
    noisy = D2 * (1 + 1e-7 * gaussian(1, 30, 30).float()) + 1e-7 * torch.eye(30)
    kernel = centred_kernel(noisy)
    assert torch.equal(kernel, kernel.mT)
