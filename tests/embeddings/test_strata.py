import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import gaussian, generator, seeds

from geolatent.embeddings import numerical_rank, stratification, tensor_to_spsd

few = settings(max_examples=20)


def semidefinite(seed, *batch, p=6, rank=3):
    factor = gaussian(seed, *batch, p, rank)
    S = factor @ factor.mT
    return (S + S.mT) / 2


@given(seeds, st.integers(1, 8), st.data())
@few
def test_rank_is_that_of_numpy(seed, p, data):
    rank = data.draw(st.integers(0, p))
    S = semidefinite(seed, 4, p=p, rank=rank)
    assert numerical_rank(S).tolist() == np.linalg.matrix_rank(S.numpy(), rtol=p * 1.19e-7, hermitian=True).tolist()
    assert numerical_rank(S, rtol=p * 2.2e-16).tolist() == [rank] * 4 or rank in (0, p)


@given(st.floats(1e-6, 1e6))
@few
def test_threshold_is_relative_to_the_largest_eigenvalue(scale):
    S = scale * torch.diag(torch.tensor([1.0, 1e-2, 1e-4, 1e-9], dtype=torch.float64))
    ranks = [numerical_rank(S, rtol).item() for rtol in (0.0, 1e-10, 1e-8, 1e-3, 0.5)]
    assert ranks == [4, 4, 3, 2, 1]
    assert numerical_rank(S).item() == 3


def test_the_default_forgets_the_rounding_of_a_float32_network():
    exact = gaussian(0, 128, 40) @ gaussian(1, 40, 49)
    rounded = exact * (1 + 1e-5 * gaussian(2, 128, 49))
    S = rounded @ rounded.mT
    assert numerical_rank(S, rtol=128 * 2.2e-16).item() == 49
    assert numerical_rank(S).item() == 40


def test_counts_the_samples_of_every_stratum():
    Z = gaussian(0, 5, 7, 7, 12)
    Z[0] = 0.0
    Z[1:3, :, :, 5:] = 1.0
    Z[3, 2] = Z[3, 1]
    found = stratification(Z)
    assert found.ranks.tolist() == [[0, 0, 0], [7, 7, 5], [7, 7, 5], [6, 7, 12], [7, 7, 12]]
    assert found.counts.tolist()[0] == 2
    assert found.strata.tolist()[0] == [7, 7, 5]
    assert sorted(map(tuple, found.strata.tolist())) == [(0, 0, 0), (6, 7, 12), (7, 7, 5), (7, 7, 12)]
    table = found.table()
    assert list(table.columns) == ["rank of S1", "rank of S2", "rank of S3", "samples", "share"]
    assert table["samples"].sum() == 5
    assert table["share"].tolist()[0] == 0.4
    torch.testing.assert_close(found.eigenvalues[2], torch.linalg.eigvalsh(tensor_to_spsd(Z)[2]))


def test_matrices_and_tensors_give_the_same_report():
    Z = gaussian(0, 2, 3, 4, 5, 6)
    for found in (stratification(Z), stratification(tensor_to_spsd(Z)), stratification(list(tensor_to_spsd(Z)))):
        assert found.ranks.shape == (6, 3)
        assert found.strata.tolist() == [[4, 5, 6]]
    alone = stratification(tensor_to_spsd(Z)[1].flatten(0, 1), rtol=0.9)
    assert alone.ranks.shape == (6, 1)
    assert (alone.ranks < 5).all()


@pytest.mark.parametrize(
    ("S", "kind", "message"),
    [
        (torch.diag(torch.tensor([1.0, -1.0])).repeat(3, 1, 1), ValueError, "matrix 0 of 3 has smallest eigenvalue -1"),
        (torch.tensor([[1.0, 0.5], [0.0, 1.0]]), ValueError, "must be symmetric"),
        (torch.full((2, 2), torch.nan), ValueError, "must be finite"),
        (torch.ones(2, 3), ValueError, "S must have shape"),
        (torch.ones(2, 2, dtype=torch.int32), TypeError, "real floating point"),
    ],
)
def test_refuses_matrices_that_are_not_semidefinite(S, kind, message):
    with pytest.raises(kind, match=message):
        numerical_rank(S)


@pytest.mark.parametrize("rtol", [-0.1, 1.0, float("nan")])
def test_refuses_a_tolerance_out_of_range(rtol):
    with pytest.raises(ValueError, match=r"rtol must lie in \[0, 1\)"):
        numerical_rank(torch.eye(2), rtol)


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        (torch.ones(7, 7, 128), "must be latent tensors .* give a single latent tensor as Z"),
        (torch.ones(0, 7, 7, 8), "must hold at least one sample"),
        (torch.rand(7, 7, 7, generator=generator(0)), "must be latent tensors .* give a single latent tensor as Z"),
        (
            torch.eye(4).repeat(2, 3, 1, 1),
            r"must not leave open what it holds; .*\(2, 3, 4, 4\): give matrices as",
        ),
        ((), "must hold at least one tensor"),
        ((torch.eye(2).repeat(3, 1, 1), torch.eye(2).repeat(4, 1, 1)), "must have one batch shape"),
    ],
)
def test_refuses_reports_on_nothing(given_, message):
    with pytest.raises(ValueError, match=message):
        stratification(given_)


def test_batches_of_matrices_are_taken_in_a_sequence():
    assert stratification((torch.eye(4).repeat(2, 3, 1, 1),)).ranks.tolist() == [[4]] * 6
    dead = stratification(torch.zeros(2, 3, 4, 4))  # symmetric slices, of rank zero whichever way they are read
    assert dead.ranks.tolist() == [[0, 0, 0]] * 2


@pytest.mark.parametrize("given_", [torch.ones(2, 3, 4, 5).numpy(), "codes.pt", 3])
def test_refuses_what_holds_no_tensors(given_):
    with pytest.raises(TypeError, match=r"Z_or_S must be a torch.Tensor or a list of them; got .*: wrap it in"):
        stratification(given_)
