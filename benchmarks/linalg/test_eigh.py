"""Eigenvalues and eigenvectors of batches of small symmetric matrices: ours and torch on the same matrices."""

import pytest
import torch
from torch import Tensor

import geolatent as gl

COUNT = 100_000
PEER_COUNT = 5_000  # the peer loops over matrices: fewer of them, the same time for each


def _matrices(count: int, d: int, dtype: torch.dtype) -> Tensor:
    matrices = torch.randn(count, d, d, generator=torch.Generator().manual_seed(d), dtype=dtype)
    return matrices + matrices.mT


CASES = pytest.mark.parametrize(
    ("name", "d", "dtype"),
    [
        (name, d, dtype)
        for name in ("eigvalsh", "eigh")
        for d in (4, 8, 12, 16, 20, 24, 32)
        for dtype in (torch.float32, torch.float64)
    ],
    ids=lambda value: str(value).removeprefix("torch."),
)


@CASES
def test_geolatent(benchmark, name: str, d: int, dtype: torch.dtype) -> None:
    benchmark.group = f"{name} d={d} {dtype}"
    benchmark.extra_info["matrices"] = COUNT
    benchmark.pedantic(getattr(gl.linalg, name), (_matrices(COUNT, d, dtype),), rounds=5, warmup_rounds=1)


@CASES
def test_torch(benchmark, name: str, d: int, dtype: torch.dtype) -> None:
    benchmark.group = f"{name} d={d} {dtype}"
    benchmark.extra_info["matrices"] = PEER_COUNT
    benchmark.pedantic(getattr(torch.linalg, name), (_matrices(PEER_COUNT, d, dtype),), rounds=5, warmup_rounds=1)
