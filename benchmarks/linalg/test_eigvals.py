"""Eigenvalues of batches of small real matrices: ours, torch and numpy on the same matrices."""

import numpy as np
import pytest
import torch
from torch import Tensor

import geolatent as gl

COUNT = 100_000
PEER_COUNT = 5_000  # the peers loop over matrices: fewer of them, the same time for each


def _matrices(count: int, d: int, dtype: torch.dtype) -> Tensor:
    return torch.randn(count, d, d, generator=torch.Generator().manual_seed(d), dtype=dtype)


CASES = pytest.mark.parametrize(
    ("d", "dtype"),
    [(d, dtype) for d in (2, 4, 8, 12, 16, 20, 32) for dtype in (torch.float32, torch.float64)],
    ids=lambda value: str(value).removeprefix("torch."),
)


@CASES
def test_geolatent(benchmark, d: int, dtype: torch.dtype) -> None:
    benchmark.group = f"eigvals d={d} {dtype}"
    benchmark.extra_info["matrices"] = COUNT
    benchmark(gl.linalg.eigvals, _matrices(COUNT, d, dtype))


@CASES
def test_torch(benchmark, d: int, dtype: torch.dtype) -> None:
    benchmark.group = f"eigvals d={d} {dtype}"
    benchmark.extra_info["matrices"] = PEER_COUNT
    benchmark.pedantic(torch.linalg.eigvals, (_matrices(PEER_COUNT, d, dtype),), rounds=5, warmup_rounds=1)


@CASES
def test_numpy(benchmark, d: int, dtype: torch.dtype) -> None:
    benchmark.group = f"eigvals d={d} {dtype}"
    benchmark.extra_info["matrices"] = PEER_COUNT
    matrices = _matrices(PEER_COUNT, d, dtype).numpy()
    benchmark.pedantic(np.linalg.eigvals, (matrices,), rounds=5, warmup_rounds=1)
