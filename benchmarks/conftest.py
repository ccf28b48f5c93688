"""Threads pinned alike for ours and every peer: two for torch, two for the BLAS behind numpy."""

from collections.abc import Iterator

import pytest
import torch
from threadpoolctl import threadpool_limits

THREADS = 2


@pytest.fixture(autouse=True, scope="session")
def pinned() -> Iterator[None]:
    """Pin the thread counts for the whole run."""
    before = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    with threadpool_limits(THREADS):
        yield
    torch.set_num_threads(before)
