import ctypes
import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import MATRICES, dtypes, gaussian, generator, seeds
from torch import Tensor

import geolatent as gl
from geolatent import _kernels
from geolatent._kernels import eigvals as kernel_module
from geolatent._kernels.eigvals import lapack_eigvals

DTYPES = [torch.float32, torch.float64]
SIZES = [1, 2, 3, 4, 5, 7, 8, 13, 16, 20, 21, 32, 33, 48, 49, 64]


def assert_backward_stable(matrices: Tensor, values: Tensor) -> None:
    """sigma_min(A - lambda I) <= 20 d eps ||A||, computed in float64."""
    d = matrices.shape[-1]
    exact = matrices.double()
    scale = exact.abs().amax((-1, -2), keepdim=True)
    scale = torch.where(scale > 0, scale, 1.0)
    exact = exact / scale
    shifted = exact[..., None, :, :] - (values.to(torch.complex128) / scale[..., 0])[..., None, None] * torch.eye(d)
    residual = torch.linalg.svdvals(shifted)[..., -1]
    bound = 20 * d * torch.finfo(matrices.dtype).eps / 2 * torch.linalg.matrix_norm(exact, 2)[..., None]
    assert (residual <= bound + 1e-300).all(), (residual / bound).max()


def assert_contract(matrices: Tensor) -> Tensor:
    values = gl.linalg.eigvals(matrices)
    assert values.shape == matrices.shape[:-1]
    assert values.dtype == matrices.dtype.to_complex()
    assert_backward_stable(matrices, values)
    modulus = values.abs()
    slack = 4 * torch.finfo(matrices.dtype).eps * modulus[..., :-1]
    assert (modulus[..., 1:] <= modulus[..., :-1] + slack).all()
    for spectrum in values.reshape(-1, values.shape[-1]).tolist():
        above = sorted((x.real, x.imag) for x in spectrum if x.imag > 0)
        below = sorted((x.real, -x.imag) for x in spectrum if x.imag < 0)
        assert above == below, "conjugate pairs must be exactly conjugate"
        for a, b in pairwise(spectrum):
            if (abs(a.real), abs(a.imag)) == (abs(b.real), abs(b.imag)):
                assert (a.real, a.imag) >= (b.real, b.imag)
    return values


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("d", SIZES)
def test_contract_on_every_instruction_set(isa: str, d: int, dtype: torch.dtype) -> None:
    assert_contract(gaussian(d, 37, d, d, dtype=dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", MATRICES)
def test_structured_matrices_on_every_instruction_set(isa: str, kind: str, dtype: torch.dtype) -> None:
    for d in (2, 3, 5, 8, 20, 24, 32):
        assert_contract(torch.stack([MATRICES[kind](seed, d) for seed in range(5)]).to(dtype))


@given(seeds, st.integers(2, 12), dtypes, st.lists(st.sampled_from(sorted(MATRICES)), min_size=1, max_size=6))
def test_contract_holds_for_any_mixture(seed: int, d: int, dtype: torch.dtype, kinds: list[str]) -> None:
    assert_contract(torch.stack([MATRICES[kind](seed, d) for kind in kinds]).to(dtype))


@given(st.integers(2, 6), st.data())
def test_contract_holds_for_arbitrary_entries(d: int, data: st.DataObject) -> None:
    numbers = st.floats(-(2.0**60), 2.0**60, width=32) | st.sampled_from([0.0, 1.0, -1.0, 1e-30])
    entries = data.draw(st.lists(numbers, min_size=d * d, max_size=d * d))
    assert_contract(torch.tensor(entries, dtype=torch.float32).reshape(1, d, d))


@pytest.mark.parametrize("exponent", [-1060, -1022, -500, 500, 1015])
def test_huge_and_tiny_float64_scale_exactly(isa: str, exponent: int) -> None:
    matrices = gaussian(0, 9, 6, 6)
    scaled = torch.ldexp(matrices, torch.tensor(exponent))
    values, plain = gl.linalg.eigvals(scaled), gl.linalg.eigvals(matrices)
    tolerance = 1e-12 if exponent >= -1022 else 1e-2  # a subnormal matrix has few bits left
    back = torch.complex(
        torch.ldexp(values.real, torch.tensor(-exponent)), torch.ldexp(values.imag, torch.tensor(-exponent))
    )
    assert ((back - plain).abs() <= tolerance * plain.abs().amax(-1, keepdim=True)).all()


@pytest.mark.parametrize("scale", [1e-40, 1e-30, 1e30, 3e37])
def test_huge_and_tiny_float32(isa: str, scale: float) -> None:
    assert_contract(gaussian(1, 20, 7, 7, dtype=torch.float32).clamp(-3, 3) * scale)


def test_agrees_with_numpy_on_well_conditioned_spectra(isa: str) -> None:
    symmetric = gaussian(3, 50, 10, 10)
    symmetric = symmetric + symmetric.mT
    ours = gl.linalg.eigvals(symmetric)
    theirs = np.linalg.eigvalsh(symmetric.numpy())
    theirs = np.take_along_axis(theirs, np.argsort(-np.abs(theirs), -1), -1)
    norm = np.abs(theirs).max()
    assert np.abs(np.abs(ours.numpy()) - np.abs(theirs)).max() <= 20 * 10 * np.finfo(float).eps / 2 * norm


def test_known_spectra() -> None:
    rotation = torch.tensor([[0.0, -2.0], [2.0, 0.0]], dtype=torch.float64)
    expected = torch.tensor([2j, -2j], dtype=torch.complex128)
    bound = 20 * 2 * 2 * torch.finfo(torch.float64).eps / 2  # 20 d eps ||A||
    assert torch.allclose(gl.linalg.eigvals(rotation), expected, rtol=0, atol=bound)
    diagonal = torch.diag(torch.tensor([1.0, -3.0, 3.0, 0.5], dtype=torch.float64))
    expected = torch.tensor([3.0, -3.0, 1.0, 0.5], dtype=torch.complex128)
    assert torch.equal(gl.linalg.eigvals(diagonal), expected)
    roots = torch.roll(torch.eye(5, dtype=torch.float64), 1, 0)
    angles = gl.linalg.eigvals(roots).angle().sort().values
    expected_angles = torch.tensor([-4, -2, 0, 2, 4], dtype=torch.float64) * math.pi / 5
    assert torch.allclose(angles, expected_angles, atol=1e-14, rtol=0)


def test_balancing_keeps_a_nonnormal_tridiagonal() -> None:
    d = 8  # unbalanced, rounding moves the spectrum by more than its size
    matrix = MATRICES["nonnormal tridiagonal"](0, d)
    exact = 2 * torch.cos(torch.arange(1, d + 1, dtype=torch.float64) * math.pi / (d + 1))  # times i sqrt(1000 * 0.001)
    ours = gl.linalg.eigvals(matrix)
    assert ours.real.abs().max() <= 1e-12
    assert torch.allclose(ours.imag.sort().values, exact.sort().values, atol=1e-12, rtol=0)


@given(seeds, st.integers(1, 9))
def test_order_of_the_definition_and_of_the_kernel(seed: int, d: int) -> None:
    matrices = gaussian(seed, 3, d, d)
    ours, definition = gl.linalg.eigvals(matrices), lapack_eigvals(matrices)
    assert torch.allclose(ours.abs(), definition.abs(), atol=1e-5, rtol=0)


def test_ties_put_the_larger_real_part_first() -> None:
    values = gl.linalg.eigvals(torch.diag(torch.tensor([-2.0, 2.0, -2.0, 2.0])))
    assert values.real.tolist() == [2.0, 2.0, -2.0, -2.0]
    assert not torch.signbit(values.imag).any()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("d", [2, 3, 8, 20, 33])
@pytest.mark.parametrize("poison", [math.nan, math.inf, -math.inf])
def test_a_bad_matrix_harms_itself_alone(isa: str, d: int, dtype: torch.dtype, poison: float) -> None:
    matrices = gaussian(d, 70, d, d, dtype=dtype)
    clean = gl.linalg.eigvals(matrices)
    matrices[13, 0, d - 1] = poison
    values = gl.linalg.eigvals(matrices)
    assert values[13].real.isnan().all()
    assert values[13].imag.isnan().all()
    others = torch.arange(70) != 13
    assert torch.equal(torch.view_as_real(values[others]), torch.view_as_real(clean[others]))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("d", [2, 3, 8, 20, 21, 33])
def test_permuting_the_batch_permutes_the_bits(isa: str, d: int, dtype: torch.dtype) -> None:
    kinds = [torch.stack([make(s, d) for s in range(6)]) for make in MATRICES.values()]
    matrices = torch.cat(kinds).to(dtype)
    order = torch.randperm(len(matrices), generator=generator(d))
    values = torch.view_as_real(gl.linalg.eigvals(matrices))
    assert torch.equal(torch.view_as_real(gl.linalg.eigvals(matrices[order])), values[order])
    assert torch.equal(torch.view_as_real(gl.linalg.eigvals(matrices[:1])), values[:1])
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        assert torch.equal(torch.view_as_real(gl.linalg.eigvals(matrices)), values)
    finally:
        torch.set_num_threads(threads)


@given(seeds, st.integers(1, 8))
def test_transpose_and_strides(seed: int, d: int) -> None:
    matrices = gaussian(seed, 4, d, d)
    strided = torch.stack([matrices, matrices], -1)[..., 0]
    assert torch.equal(gl.linalg.eigvals(strided), gl.linalg.eigvals(matrices))
    assert_backward_stable(matrices, gl.linalg.eigvals(matrices.mT))


@pytest.mark.parametrize("shape", [(0, 5, 5), (3, 0, 5, 5), (0, 0), (4, 0, 0)])
def test_empty(shape: tuple[int, ...]) -> None:
    assert gl.linalg.eigvals(torch.zeros(shape)).shape == shape[:-1]


def test_half_precision_is_computed_in_float32() -> None:
    matrix = gaussian(0, 4, 4).bfloat16()
    assert torch.equal(gl.linalg.eigvals(matrix), gl.linalg.eigvals(matrix.float()))


def test_bad_input_is_named() -> None:
    with pytest.raises(TypeError, match=r"A must be real floating point; got torch\.int64"):
        gl.linalg.eigvals(torch.eye(3).long())
    with pytest.raises(ValueError, match=r"A must have shape \(\.\.\., d, d\); got \(3, 4\)"):
        gl.linalg.eigvals(torch.zeros(3, 4))
    with pytest.raises(TypeError, match=r"A must be a torch\.Tensor; got ndarray"):
        gl.linalg.eigvals(np.eye(3))


@pytest.mark.skipif(_kernels.core is None, reason="installed without the compiled core")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("d", [2, 3, 5, 8, 20, 33])
def test_the_kernel_converges_without_lapack(
    isa: str, d: int, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(matrices: Tensor) -> Tensor:
        raise AssertionError(f"{len(matrices)} matrices fell back to LAPACK")

    monkeypatch.setattr(kernel_module, "lapack_eigvals", refuse)
    structured = torch.stack([make(seed, d) for seed in range(3) for make in MATRICES.values()])
    matrices = torch.cat([structured, gaussian(d, 500, d, d)]).to(dtype)
    matrices[7, 0, 0] = math.nan
    assert gl.linalg.eigvals(matrices).isfinite().all(-1).sum() == len(matrices) - 1


@pytest.mark.parametrize("dtype", DTYPES)
def test_matrices_that_did_not_converge_go_to_lapack(dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    matrices = gaussian(0, 9, 6, 6, dtype=dtype)
    expected = gl.linalg.eigvals(matrices)
    expected[4] = lapack_eigvals(matrices[4])
    launch = _kernels.launch

    def fail_the_fifth(name: str, kind: torch.dtype, a: int, out: int, failed: int, count: int, d: int) -> None:
        launch(name, kind, a, out, failed, count, d)
        ctypes.memset(failed + 4, 1, 1)

    monkeypatch.setattr(_kernels, "launch", fail_the_fifth)
    assert torch.equal(torch.view_as_real(gl.linalg.eigvals(matrices)), torch.view_as_real(expected))
