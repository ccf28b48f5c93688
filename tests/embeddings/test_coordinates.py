import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from strategies import dtypes, gaussian, seeds

from geolatent.embeddings import centred_kernel, hilbert_dimension, kernel_coordinates

few = settings(max_examples=20)


@given(seeds, st.integers(2, 12), st.integers(1, 4), dtypes)
@few
def test_inner_products_are_the_kernel(seed, n, d, dtype):
    X = gaussian(seed, n, d, dtype=dtype)
    kernel = X @ X.mT
    kernel = (kernel + kernel.mT) / 2
    Y = kernel_coordinates(kernel)
    assert Y.dtype == dtype
    error = torch.linalg.matrix_norm(Y @ Y.mT - kernel, 2)
    assert error <= 40 * n * torch.finfo(dtype).eps * torch.linalg.matrix_norm(kernel, 2)


def test_are_the_scores_of_principal_components():
    X = gaussian(0, 20, 4) * torch.tensor([4.0, 2.0, 1.0, 0.5])
    Y = kernel_coordinates(centred_kernel((X[:, None] - X).square().sum(-1)))
    scores = torch.from_numpy(PCA(4).fit_transform(X.numpy()))
    assert Y.shape == scores.shape
    torch.testing.assert_close(Y, scores * (Y * scores).sum(0).sign())
    largest = Y.gather(0, Y.abs().argmax(0, keepdim=True))
    assert (largest > 0).all()


def test_negative_directions_are_clipped():
    kernel = torch.diag(torch.tensor([3.0, 1.0, -2.0, 0.0], dtype=torch.float64))
    Y = kernel_coordinates(kernel)
    torch.testing.assert_close(Y @ Y.mT, kernel.clamp_min(0))
    assert kernel_coordinates(kernel, 0.7).shape == (4, 1)
    assert kernel_coordinates(-kernel.clamp_min(0)).shape == (4, 0)


@pytest.mark.parametrize(("threshold", "expected"), [(0.1, 1), (0.6, 1), (0.61, 2), (0.9, 2), (0.95, 3), (1.0, 3)])
def test_dimension_counts_shares_of_the_positive_spectrum(threshold, expected):
    assert hilbert_dimension(torch.tensor([6.0, 3.0, 1.0, 0.0, -5.0], dtype=torch.float64), threshold) == expected


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=10), st.floats(0.01, 1))
@few
def test_dimension_is_the_least_that_holds_the_share(values, threshold):
    values = torch.tensor(sorted(values, reverse=True), dtype=torch.float64)
    k = hilbert_dimension(values, threshold)
    share = values.cumsum(0) / values.sum()
    assert share[k - 1] >= threshold - 1e-12
    assert k == 1 or share[k - 2] < threshold + 1e-12


def test_dimension_of_nothing_is_zero_and_rounding_counts_for_nothing():
    assert hilbert_dimension(torch.zeros(3)) == 0
    assert hilbert_dimension(torch.tensor([-1.0, -2.0])) == 0
    assert hilbert_dimension(torch.tensor([1.0, 1e-9, -1.0]), 1.0) == 1


@pytest.mark.parametrize("threshold", [0.0, -1.0, 1.01, float("nan")])
def test_refuses_thresholds_out_of_range(threshold):
    with pytest.raises(ValueError, match=r"threshold must lie in \(0, 1\]"):
        hilbert_dimension(torch.ones(2), threshold)


@pytest.mark.parametrize(
    ("eigenvalues", "kind", "message"),
    [
        (torch.tensor([1.0, 2.0, 3.0]), ValueError, r"must descend; entry 1 is larger than entry 0: use .*flip\(0\)"),
        (torch.ones(2, 2), ValueError, r"must have shape \(n,\); got \(2, 2\)"),
        (torch.ones(2).numpy(), TypeError, r"eigenvalues must be a torch\.Tensor; got ndarray"),
        (torch.ones(2).long(), TypeError, "eigenvalues must be real floating point"),
    ],
)
def test_refuses_what_is_no_descending_spectrum(eigenvalues, kind, message):
    with pytest.raises(kind, match=message):
        hilbert_dimension(eigenvalues)


def test_no_eigenvalues_hold_no_dimension():
    assert hilbert_dimension(torch.zeros(0)) == 0
