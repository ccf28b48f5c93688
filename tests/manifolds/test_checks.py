import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import gaussian, seeds
from torch import Tensor

from geolatent.manifolds.checks import covariance_belongs, require_covariance


def covariances(count: int, n: int, dtype: torch.dtype = torch.float64) -> Tensor:
    factor = gaussian(n, count, n, 2 * n, dtype=dtype)
    return factor @ factor.mT


def with_spectrum(seed: int, values: list[float]) -> Tensor:
    basis = torch.linalg.qr(gaussian(seed, len(values), len(values))).Q
    matrix = basis * torch.tensor(values, dtype=torch.float64) @ basis.mT
    return (matrix + matrix.mT) / 2


def replaced(bad: Tensor, count: int = 5, at: int = 3) -> Tensor:
    matrices = covariances(count, bad.shape[-1])
    matrices[at] = bad
    return matrices


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("n", [1, 2, 5, 20, 64])
def test_covariances_pass(n: int, dtype: torch.dtype) -> None:
    require_covariance("covariance_matrix", covariances(6, n, dtype))
    assert covariance_belongs(covariances(6, n, dtype)).all()
    require_covariance("covariance_matrix", covariances(1, n, dtype)[0])
    require_covariance("covariance_matrix", covariances(0, n, dtype))


@given(seeds, st.floats(0, 15.5), st.floats(-100, 100))
def test_condition_up_to_1e16_passes_at_any_size(seed: int, exponent: float, size: float) -> None:
    values = [10.0**size, 10.0 ** (size - exponent), 10.0 ** (size - exponent / 3)]
    matrix = torch.diag(torch.tensor(values, dtype=torch.float64))
    require_covariance("covariance_matrix", matrix)
    if exponent < 13:
        require_covariance("covariance_matrix", with_spectrum(seed, values))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (torch.full((2, 2), math.nan), r"must be finite; point 3 of 5 holds nan"),
        (torch.tensor([[1.0, 0.5], [0.4, 1.0]]), r"must be symmetric; matrix 3 of 5 differs .* by 0\.1: use \("),
        (torch.tensor([[1.0, 2.0], [2.0, 1.0]]), r"must be positive definite; matrix 3 of 5 .* eigenvalue -1: add a"),
        (torch.zeros(2, 2), r"must be positive definite; matrix 3 of 5 has smallest eigenvalue 0"),
        (-torch.eye(2), r"must be positive definite; matrix 3 of 5 has smallest eigenvalue -1"),
        (
            torch.diag(torch.tensor([1.0, 1e-17])),
            r"must have condition at most 1e\+16; matrix 3 of 5 has eigenvalues from 1e-17 to 1",
        ),
    ],
)
def test_bad_covariances_are_named(bad: Tensor, message: str) -> None:
    matrices = replaced(bad.double())
    with pytest.raises(ValueError, match="covariance_matrix " + message):
        require_covariance("covariance_matrix", matrices)
    assert covariance_belongs(matrices).tolist() == [True, True, True, False, True]


def test_one_matrix_and_larger_batches_are_named() -> None:
    eye = torch.eye(2)
    with pytest.raises(ValueError, match="the matrix has smallest eigenvalue -1"):
        require_covariance("covariance_matrix", -eye)
    with pytest.raises(ValueError, match=r"matrix \(1, 0\) of a batch of shape \(2, 2\) has smallest"):
        require_covariance("covariance_matrix", torch.stack([eye, eye, -eye, eye]).unflatten(0, (2, 2)))


def test_rounding_does_not_count_as_asymmetry() -> None:
    factor = gaussian(0, 50, 6, 12) * torch.logspace(-3, 3, 6, dtype=torch.float64)[:, None]
    product = factor @ factor.mT
    product = product + 4 * torch.finfo(torch.float64).eps * product.abs() * gaussian(1, 6, 6).clamp(-1, 1)
    assert not torch.equal(product, product.mT)
    require_covariance("covariance_matrix", product)
    assert covariance_belongs(product).all()
