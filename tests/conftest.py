"""What every test shares: hypothesis without deadlines, the machine in the header, every instruction set in turn."""

import os
from collections.abc import Iterator

import pytest
import torch
from hypothesis import settings

from geolatent import __version__, _kernels

# Workers of pytest-xdist share the cores.
torch.set_num_threads(max(1, torch.get_num_threads() // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))))

settings.register_profile("geolatent", deadline=None, max_examples=50, print_blob=True)
settings.load_profile("geolatent")


def pytest_report_header() -> str:
    levels = ", ".join(_kernels.isa_levels()) or "none"
    return f"geolatent {__version__}, torch {torch.__version__}, kernels {_kernels.isa()} of {levels}"


@pytest.fixture(params=_kernels.isa_levels() or ["torch"])
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    """Every instruction set that this machine runs; ``"torch"`` without the compiled core."""
    if request.param == "torch":
        yield "torch"
        return
    before = _kernels.isa()
    _kernels.use_isa(request.param)
    yield request.param
    _kernels.use_isa(before)
