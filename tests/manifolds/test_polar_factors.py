import pytest
import torch
from strategies import gaussian
from torch import Tensor

from geolatent.manifolds.polar_factors import rotations

DTYPES = [torch.float32, torch.float64]


def product_of(cosines: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Return products of two bases with these cosines, and their polar factors, shape (6, k, k)."""
    left, right = (torch.linalg.qr(gaussian(seed, 6, k, k)).Q[..., : len(cosines)] for seed in (0, 1))
    return (left * cosines) @ right.mT, left @ right.mT


def everything(product: Tensor) -> Tensor:
    return torch.ones(product.shape[:-1], dtype=torch.bool)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("least", [1.0, 0.5, 1e-2, 1e-3])
def test_factor_and_cosines(least: float, dtype: torch.dtype) -> None:
    cosines = torch.linspace(least, 1.0, 9, dtype=torch.float64)
    product, expected = product_of(cosines, 9)
    rotation, found, lost = rotations(product.to(dtype), everything(product))
    assert not lost.any()
    eps = torch.finfo(dtype).eps
    assert (rotation - expected).abs().max() <= 40 * eps / least
    assert (found - cosines).abs().max() <= 40 * eps


@pytest.mark.parametrize(
    ("least", "dtype"), [(1e-5, DTYPES[1]), (1e-6, DTYPES[1]), (1e-7, DTYPES[1]), (1e-2, DTYPES[0]), (1e-4, DTYPES[0])]
)
def test_squares_that_lost_most_digits_do_no_harm(least: float, dtype: torch.dtype) -> None:
    cosines = torch.cat([torch.tensor([least, 3 * least]), torch.linspace(0.1, 1.0, 5)]).double()
    product, expected = product_of(cosines, 7)
    rotation, found, lost = rotations(product.to(dtype), everything(product))
    assert not lost.any()
    eps = torch.finfo(dtype).eps
    assert (rotation - expected).abs().max() <= 4 * eps / least
    assert (found.sort().values - cosines).abs().max() <= 40 * eps


def test_right_angles_are_told() -> None:
    product, _ = product_of(torch.tensor([0.0, 0.0, 0.5, 1.0], dtype=torch.float64), 4)
    product[2] = torch.eye(4)
    product[3] = 0
    lost = rotations(product, everything(product))[2]
    assert lost.tolist() == [True, True, False, True, True, True]


@pytest.mark.parametrize("least", [0.2, 1e-7])
def test_a_smaller_subspace_beside_a_larger_one(least: float) -> None:
    cosines = torch.tensor([least, 3 * least, 1.0], dtype=torch.float64)
    left, right = torch.linalg.qr(gaussian(0, 3, 3)).Q, torch.linalg.qr(gaussian(1, 5, 5)).Q[:, :3]
    product = torch.zeros(1, 5, 5, dtype=torch.float64)
    product[0, :3] = (left * cosines) @ right.mT
    counted = torch.tensor([[True, True, True, False, False]])
    rotation, found, lost = rotations(product, counted)
    assert not lost.any()
    assert torch.allclose(rotation[0, :3], left @ right.mT, rtol=0, atol=1e-15 / least)
    assert rotation[0, 3:].abs().max() <= 1e-15 / least
    assert torch.allclose(found[0].sort().values, torch.cat([torch.zeros(2), cosines]), rtol=0, atol=1e-14)


def test_equal_subspaces() -> None:
    product = torch.eye(4, dtype=torch.float64).expand(2, 4, 4).clone()
    product[1, 3, 3] = 0
    counted = torch.tensor([[True] * 4, [True] * 3 + [False]])
    rotation, _, lost = rotations(product, counted)
    assert torch.allclose(rotation, product, rtol=0, atol=1e-15)
    assert not lost.any()
