"""Singular values of batches of small matrices: ours and torch on the same matrices."""

import pytest
import torch
from torch import Tensor

import geolatent as gl

COUNT = 50_000
PEER_COUNT = 2_500  # the peer loops over matrices: fewer of them, the same time for each


def _matrices(count: int, m: int, n: int, dtype: torch.dtype) -> Tensor:
    return torch.randn(count, m, n, generator=torch.Generator().manual_seed(m), dtype=dtype)


CASES = pytest.mark.parametrize(
    ("m", "n", "dtype"),
    [
        (m, n, dtype)
        for m, n in ((2, 2), (4, 4), (8, 8), (12, 12), (16, 16), (20, 20), (32, 32), (48, 48), (64, 8))
        for dtype in (torch.float32, torch.float64)
    ],
    ids=lambda value: str(value).removeprefix("torch."),
)


@CASES
def test_geolatent(benchmark, m: int, n: int, dtype: torch.dtype) -> None:
    benchmark.group = f"svdvals {m}x{n} {dtype}"
    benchmark.extra_info["matrices"] = COUNT
    benchmark.pedantic(gl.linalg.svdvals, (_matrices(COUNT, m, n, dtype),), rounds=5, warmup_rounds=1)


@CASES
def test_torch(benchmark, m: int, n: int, dtype: torch.dtype) -> None:
    benchmark.group = f"svdvals {m}x{n} {dtype}"
    benchmark.extra_info["matrices"] = PEER_COUNT
    benchmark.pedantic(torch.linalg.svdvals, (_matrices(PEER_COUNT, m, n, dtype),), rounds=5, warmup_rounds=1)
