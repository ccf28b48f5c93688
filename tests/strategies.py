"""Hypothesis strategies shared by the tests."""

import torch
from hypothesis import strategies as st
from torch import Tensor

dtypes = st.sampled_from([torch.float32, torch.float64])
seeds = st.integers(0, 2**31 - 1)


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def gaussian(seed: int, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=generator(seed), dtype=dtype)


def _companion(seed: int, d: int) -> Tensor:
    matrix = torch.diag(torch.ones(d - 1, dtype=torch.float64), -1)
    matrix[0] = gaussian(seed, d)
    return matrix


def _defective(seed: int, d: int) -> Tensor:
    jordan = torch.eye(d, dtype=torch.float64) * 2 + torch.diag(torch.ones(d - 1, dtype=torch.float64), 1)
    basis = torch.linalg.qr(gaussian(seed, d, d)).Q
    return basis @ jordan @ basis.mT


def _graded(seed: int, d: int) -> Tensor:
    scale = 10.0 ** torch.linspace(0, -12, d, dtype=torch.float64)
    return gaussian(seed, d, d) * scale[:, None] * scale


def _badly_scaled(seed: int, d: int) -> Tensor:
    scale = 2.0 ** torch.randint(-20, 21, (d,), generator=generator(seed)).double()
    return gaussian(seed, d, d) * scale[:, None] / scale


def _sparse(seed: int, d: int) -> Tensor:
    return gaussian(seed, d, d) * (gaussian(seed + 1, d, d) > 0.8)


def _low_rank(seed: int, d: int) -> Tensor:
    return gaussian(seed, d, 1 + d // 3) @ gaussian(seed + 1, 1 + d // 3, d)


MATRICES = {
    "gaussian": lambda seed, d: gaussian(seed, d, d),
    "symmetric": lambda seed, d: (lambda x: x + x.mT)(gaussian(seed, d, d)),
    "orthogonal": lambda seed, d: torch.linalg.qr(gaussian(seed, d, d)).Q,
    "skew": lambda seed, d: (lambda x: x - x.mT)(gaussian(seed, d, d)),
    "cyclic": lambda seed, d: torch.roll(torch.eye(d, dtype=torch.float64), 1, 0),
    "triangular": lambda seed, d: gaussian(seed, d, d).triu(),
    "strictly triangular": lambda seed, d: gaussian(seed, d, d).triu(1),
    "companion": _companion,
    "defective": _defective,
    "graded": _graded,
    "badly scaled": _badly_scaled,
    "sparse": _sparse,
    "low rank": _low_rank,
    "nonnormal tridiagonal": lambda seed, d: (
        torch.diag(torch.full((d - 1,), 1000.0, dtype=torch.float64), -1)
        + torch.diag(torch.full((d - 1,), -0.001, dtype=torch.float64), 1)
    ),
    "zero": lambda seed, d: torch.zeros(d, d, dtype=torch.float64),
    "identity": lambda seed, d: torch.eye(d, dtype=torch.float64),
}
