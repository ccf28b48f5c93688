import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import dtypes, gaussian, seeds

from geolatent.embeddings import (
    centred_kernel,
    definiteness,
    gaussian_kernel,
    log_projection_features,
    log_projection_squared_dist,
)
from geolatent.linalg import principal_angles, spd_log

few = settings(max_examples=15)


def semidefinite(seed, n, p=6, rank=3):
    basis = torch.linalg.qr(gaussian(seed, n, p, rank)).Q
    S = basis * gaussian(seed + 1, n, 1, rank).exp() @ basis.mT
    return (S + S.mT) / 2


def of_mixed_ranks(seed, p=6):
    return torch.cat([semidefinite(seed + k, 4, p, rank) for k, rank in enumerate((1, 3, p - 1, p))])


@given(seeds, st.floats(0.1, 10))
@few
def test_is_projection_metric_plus_log_euclidean_on_the_range(seed, weight):
    A, B = semidefinite(seed, 1)[0], semidefinite(seed + 5, 1)[0]
    bases, logs = [], []
    for S in (A, B):
        values, vectors = torch.linalg.eigh(S)
        bases.append(vectors[:, 3:])
        logs.append(vectors[:, 3:] * values[3:].log() @ vectors[:, 3:].mT)
    sines = principal_angles(*bases).sin().square().sum()
    expected = sines + weight * (logs[0] - logs[1]).square().sum()
    difference = log_projection_features(A, weight) - log_projection_features(B, weight)
    torch.testing.assert_close(difference.square().sum(), expected)
    torch.testing.assert_close(log_projection_squared_dist(A[None], B[None], weight)[0, 0], expected)


@given(seeds)
@few
def test_at_full_rank_it_is_log_euclidean(seed):
    S = semidefinite(seed, 5, 4, 4)
    logs = spd_log(S)
    expected = (logs[:, None] - logs).square().sum((-1, -2))
    torch.testing.assert_close(log_projection_squared_dist(S), expected, rtol=1e-10, atol=1e-12)


@given(seeds, st.floats(1e-2, 1e2))
@few
def test_kernels_are_positive_semidefinite_across_ranks(seed, gamma):
    D2 = log_projection_squared_dist(of_mixed_ranks(seed))
    assert definiteness(centred_kernel(D2)).positive_semidefinite
    assert definiteness(gaussian_kernel(D2, gamma)).positive_semidefinite
    assert torch.equal(D2, D2.mT)
    assert torch.equal(D2.diagonal(), torch.zeros(len(D2), dtype=torch.float64))


@given(seeds, dtypes)
@few
def test_two_sets_agree_with_one_and_with_the_features(seed, dtype):
    S = of_mixed_ranks(seed).to(dtype)
    features = log_projection_features(S, 2.0).double()
    expected = (features[:, None] - features).square().sum(-1)
    largest = (features - features.mean(0)).square().sum(-1).max()
    slack = 64 * torch.finfo(dtype).eps * largest
    assert (log_projection_squared_dist(S, spectrum_weight=2.0) - expected).abs().max() <= slack
    table = log_projection_squared_dist(S, S[:5], spectrum_weight=2.0)
    assert (table - expected[:, :5]).abs().max() <= slack
    assert table.dtype == dtype


@given(seeds)
@few
def test_rotations_change_nothing_and_scaling_moves_the_logarithm(seed):
    S, Q = of_mixed_ranks(seed), torch.linalg.qr(gaussian(seed + 9, 6, 6)).Q
    turned = Q @ S @ Q.mT
    turned = (turned + turned.mT) / 2
    torch.testing.assert_close(
        log_projection_squared_dist(turned), log_projection_squared_dist(S), rtol=1e-8, atol=1e-8
    )
    moved = log_projection_squared_dist(S[4:5], math.e * S[4:5])
    torch.testing.assert_close(moved.item(), 3.0, rtol=1e-9, atol=0)


def test_ranges_at_right_angles_are_as_far_apart_as_their_dimensions():
    A = torch.diag(torch.tensor([1.0, 1.0, 0.0, 0.0], dtype=torch.float64))
    B = torch.diag(torch.tensor([0.0, 0.0, 1.0, 1.0], dtype=torch.float64))
    assert log_projection_squared_dist(A[None], B[None]).item() == pytest.approx(2.0)


def test_rtol_decides_the_rank_and_zero_has_features():
    S = torch.diag(torch.tensor([1.0, 1e-3], dtype=torch.float64))
    coarse = log_projection_features(S, rtol=1e-2)
    torch.testing.assert_close(
        coarse, log_projection_features(torch.diag(torch.tensor([1.0, 0.0], dtype=torch.float64)))
    )
    assert log_projection_features(S).norm() > 6
    assert torch.equal(log_projection_features(torch.zeros(3, 3)), torch.zeros(12))
    assert log_projection_features(torch.eye(3).half()).dtype == torch.float16


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (torch.diag(torch.tensor([1.0, -1.0])).repeat(2, 1, 1), "matrix 0 of 2 has smallest eigenvalue -1"),
        (torch.tensor([[[1.0, 0.5], [0.0, 1.0]]]), "must be symmetric"),
        (torch.full((1, 2, 2), torch.nan), "must be finite"),
        (torch.eye(2), r"points must have shape \(N, p, p\)"),
        (torch.zeros(0, 2, 2), r"points must have shape \(N, p, p\), N > 0"),
    ],
)
def test_refuses_other_matrices(points, message):
    with pytest.raises(ValueError, match=message):
        log_projection_squared_dist(points)


def test_refuses_other_sizes_and_weights():
    with pytest.raises(ValueError, match=r"others must have shape \(N, p, p\), N > 0, with one p; got \(1, 3, 3\)"):
        log_projection_squared_dist(torch.eye(2)[None], torch.eye(3)[None])
    with pytest.raises(TypeError, match="spectrum_weight must be a real number; got 'a': the default is 1"):
        log_projection_squared_dist(torch.eye(2)[None], spectrum_weight="a")
    with pytest.raises(TypeError, match=r"points must be a torch\.Tensor; got tuple"):
        log_projection_squared_dist((torch.eye(2)[None], torch.eye(3)[None]))
    with pytest.raises(ValueError, match="spectrum_weight must be positive and finite; got 0"):
        log_projection_features(torch.eye(2), 0)
