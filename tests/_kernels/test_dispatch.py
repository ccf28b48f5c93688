import os
import subprocess
import sys

import pytest
import torch

from geolatent import _kernels

compiled = pytest.mark.skipif(_kernels.core is None, reason="installed without the compiled core")


def run(code: str, isa: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "GEOLATENT_ISA": isa}
    return subprocess.run(
        [sys.executable, "-P", "-c", code], env=environment, capture_output=True, text=True, check=False
    )


@compiled
@pytest.mark.parametrize("level", _kernels.isa_levels())
def test_the_environment_forces_a_level(level: str) -> None:
    done = run("from geolatent import _kernels; print(_kernels.isa())", level)
    assert done.stdout.strip() == level, done.stderr


def test_an_unknown_level_is_named_with_the_remedy() -> None:
    done = run("from geolatent import _kernels", "v9")
    assert done.returncode != 0
    assert "GEOLATENT_ISA must name an instruction set of this machine; got 'v9': use one of" in done.stderr


@compiled
def test_levels_run_from_the_plainest_to_the_best() -> None:
    levels = _kernels.isa_levels()
    assert levels[0] == "baseline"
    assert _kernels.isa() in levels


@compiled
def test_the_levels_differ_in_their_rounding() -> None:
    """Otherwise the level that the tests ask for is not the one that runs."""
    if len(_kernels.isa_levels()) < 2:
        pytest.skip("this machine runs one instruction set only")
    from geolatent.linalg import eigvals

    before, seen = _kernels.isa(), []
    matrices = torch.randn(64, 12, 12, generator=torch.Generator().manual_seed(0))
    try:
        for level in ("baseline", _kernels.isa_levels()[-1]):
            _kernels.use_isa(level)
            seen.append(torch.view_as_real(eigvals(matrices)))
    finally:
        _kernels.use_isa(before)
    assert not torch.equal(*seen)
    assert torch.allclose(*seen, atol=1e-3)


def test_launch_passes_torchs_thread_count(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[int, ...]] = []

    class Core:
        @staticmethod
        def some_kernel_f64(*arguments: int) -> None:
            calls.append(arguments)

    monkeypatch.setattr(_kernels, "core", Core)
    _kernels.launch("some_kernel", torch.float64, 1, 2)
    assert calls == [(1, 2, torch.get_num_threads())]
