import ctypes
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import MATRICES, dtypes, gaussian, generator, seeds
from torch import Tensor

import geolatent as gl
from geolatent import _kernels
from geolatent._kernels import eigh as kernel_module
from geolatent._kernels.eigh import lapack_eigh, lapack_eigvalsh

DTYPES = [torch.float32, torch.float64]
SIZES = [1, 2, 3, 4, 5, 7, 8, 13, 16, 17, 20, 31, 32, 33, 48, 49]


def symmetric(matrices: Tensor) -> Tensor:
    return matrices + matrices.mT


def structured(d: int, count: int) -> Tensor:
    """Symmetric parts of every kind of matrix: zero, repeated, graded, sparse, of low rank, ..."""
    return symmetric(torch.stack([make(seed, d) for seed in range(count) for make in MATRICES.values()]))


def assert_contract(matrices: Tensor) -> None:
    """||A V - V L|| <= 20 d eps ||A||, ||V' V - I|| <= 20 d eps and eigenvalues to 20 d eps ||A||, in float64."""
    d = matrices.shape[-1]
    values, vectors = gl.linalg.eigh(matrices)
    alone = gl.linalg.eigvalsh(matrices)
    assert values.dtype == vectors.dtype == alone.dtype == matrices.dtype
    assert values.shape == alone.shape == matrices.shape[:-1]
    assert vectors.shape == matrices.shape
    assert (values[..., 1:] >= values[..., :-1]).all()
    assert (alone[..., 1:] >= alone[..., :-1]).all()
    scale = matrices.double().abs().amax((-1, -2), keepdim=True)
    exact = matrices.double() / torch.where(scale > 0, scale, 1.0)
    basis = vectors.double()
    unit = 20 * d * torch.finfo(matrices.dtype).eps / 2
    bound = unit * torch.linalg.matrix_norm(exact, 2)
    found = [x.double() / torch.where(scale > 0, scale, 1.0).squeeze(-1) for x in (values, alone)]
    residual = torch.linalg.matrix_norm(exact @ basis - basis * found[0].unsqueeze(-2), 2)
    assert (residual <= bound).all(), (residual / bound).max()
    oblique = torch.linalg.matrix_norm(basis.mT @ basis - torch.eye(d), 2)
    assert (oblique <= unit).all(), (oblique / unit).max()
    reference = torch.from_numpy(np.linalg.eigvalsh(exact.numpy()))
    for each in found:
        assert ((each - reference).abs() <= bound.unsqueeze(-1)).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("d", SIZES)
def test_contract_on_every_instruction_set(isa: str, d: int, dtype: torch.dtype) -> None:
    assert_contract(torch.cat([symmetric(gaussian(d, 37, d, d)), structured(d, 1)]).to(dtype))


@given(seeds, st.integers(2, 12), dtypes, st.lists(st.sampled_from(sorted(MATRICES)), min_size=1, max_size=40))
def test_contract_holds_for_any_mixture(seed: int, d: int, dtype: torch.dtype, kinds: list[str]) -> None:
    assert_contract(symmetric(torch.stack([MATRICES[kind](seed, d) for kind in kinds])).to(dtype))


@given(st.integers(2, 6), st.data())
def test_contract_holds_for_arbitrary_entries(d: int, data: st.DataObject) -> None:
    numbers = st.floats(-(2.0**60), 2.0**60, width=32) | st.sampled_from([0.0, 1.0, -1.0, 1e-30])
    entries = data.draw(st.lists(numbers, min_size=d * d, max_size=d * d))
    triangle = torch.tensor(entries, dtype=torch.float32).reshape(1, d, d).tril()
    assert_contract(triangle + triangle.tril(-1).mT)


@pytest.mark.parametrize("exponent", [-1022, -500, 500, 1015])
def test_huge_and_tiny_float64_scale_exactly(isa: str, exponent: int) -> None:
    matrices = symmetric(gaussian(0, 9, 6, 6))
    values, vectors = gl.linalg.eigh(torch.ldexp(matrices, torch.tensor(exponent)))
    plain, basis = gl.linalg.eigh(matrices)
    tolerance = 1e-12 * plain.abs().amax(-1, keepdim=True)  # a subnormal entry has few bits left
    assert ((torch.ldexp(values, torch.tensor(-exponent)) - plain).abs() <= tolerance).all()
    assert torch.allclose(vectors, basis, rtol=0, atol=1e-10)


@pytest.mark.parametrize("scale", [1e-36, 1e-30, 1e30, 3e37])
def test_huge_and_tiny_float32(isa: str, scale: float) -> None:
    assert_contract(symmetric(gaussian(1, 20, 7, 7)).clamp(-3, 3).float() * scale)


def test_known_spectra(isa: str) -> None:
    d = 20  # the second difference, whose eigenvalues are 2 - 2 cos(k pi / (d + 1))
    matrix = 2 * torch.eye(d, dtype=torch.float64)
    matrix -= torch.diag(torch.ones(d - 1, dtype=torch.float64), 1) + torch.diag(torch.ones(d - 1).double(), -1)
    exact = 2 - 2 * torch.cos(torch.arange(1, d + 1, dtype=torch.float64) * math.pi / (d + 1))
    bound = 20 * d * 4 * torch.finfo(torch.float64).eps / 2
    assert torch.allclose(gl.linalg.eigvalsh(matrix), exact, rtol=0, atol=bound)
    diagonal = torch.tensor([3.0, -1.0, 2.0, -1.0], dtype=torch.float64)
    values, vectors = gl.linalg.eigh(torch.diag(diagonal))
    assert values.tolist() == [-1.0, -1.0, 2.0, 3.0]
    assert torch.equal(vectors.abs(), torch.eye(4, dtype=torch.float64)[[1, 3, 2, 0]].mT)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("d", [2, 3, 8, 20, 33, 49])
def test_only_the_lower_triangle_is_read(isa: str, d: int, dtype: torch.dtype) -> None:
    matrices = gaussian(d, 40, d, d, dtype=dtype)
    lower = matrices.tril() + matrices.tril(-1).mT
    poisoned = matrices.tril() + torch.full((d, d), math.nan, dtype=dtype).triu(1)
    for other in (matrices, poisoned):
        for ours, theirs in zip(gl.linalg.eigh(other), gl.linalg.eigh(lower), strict=True):
            assert torch.equal(ours, theirs)
        assert torch.equal(gl.linalg.eigvalsh(other), gl.linalg.eigvalsh(lower))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("d", [1, 2, 3, 8, 20, 33, 49])
@pytest.mark.parametrize("poison", [math.nan, math.inf, -math.inf])
def test_a_bad_matrix_harms_itself_alone(isa: str, d: int, dtype: torch.dtype, poison: float) -> None:
    matrices = symmetric(gaussian(d, 70, d, d, dtype=dtype))
    clean = (*gl.linalg.eigh(matrices), gl.linalg.eigvalsh(matrices))
    matrices[13, d - 1, 0] = poison
    others = torch.arange(70) != 13
    for result, before in zip((*gl.linalg.eigh(matrices), gl.linalg.eigvalsh(matrices)), clean, strict=True):
        assert result[13].isnan().all()
        assert torch.equal(result[others], before[others])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("d", [2, 3, 8, 17, 20, 33])
def test_permuting_the_batch_permutes_the_bits(isa: str, d: int, dtype: torch.dtype) -> None:
    matrices = structured(d, 6).to(dtype)
    order = torch.randperm(len(matrices), generator=generator(d))
    threads = torch.get_num_threads()
    for operation in (gl.linalg.eigh, lambda x: (gl.linalg.eigvalsh(x),)):
        results = operation(matrices)
        for result, permuted, first in zip(results, operation(matrices[order]), operation(matrices[0]), strict=True):
            assert torch.equal(permuted, result[order])
            assert torch.equal(first, result[0])
        if isa == "torch":
            continue  # LAPACK's bits may depend on the number of threads
        try:
            torch.set_num_threads(3)
            for result, again in zip(results, operation(matrices), strict=True):
                assert torch.equal(again, result)
        finally:
            torch.set_num_threads(threads)


@given(seeds, st.integers(1, 8))
def test_any_strides(seed: int, d: int) -> None:
    matrices = symmetric(gaussian(seed, 4, d, d))
    strided = torch.stack([matrices, matrices], -1)[..., 0]
    assert torch.equal(gl.linalg.eigvalsh(strided), gl.linalg.eigvalsh(matrices))
    assert torch.equal(gl.linalg.eigh(strided)[1], gl.linalg.eigh(matrices)[1])
    assert torch.equal(gl.linalg.eigvalsh(matrices.mT), gl.linalg.eigvalsh(matrices))


@pytest.mark.parametrize("shape", [(0, 5, 5), (3, 0, 5, 5), (0, 0), (4, 0, 0)])
def test_empty(shape: tuple[int, ...]) -> None:
    values, vectors = gl.linalg.eigh(torch.zeros(shape))
    assert values.shape == gl.linalg.eigvalsh(torch.zeros(shape)).shape == shape[:-1]
    assert vectors.shape == shape


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(dtype: torch.dtype) -> None:
    matrix = symmetric(gaussian(0, 4, 4)).to(dtype)
    values, vectors = gl.linalg.eigh(matrix.float())
    ours = (*gl.linalg.eigh(matrix), gl.linalg.eigvalsh(matrix))
    assert [x.dtype for x in ours] == [dtype] * 3
    assert torch.equal(ours[0], values.to(dtype))
    assert torch.equal(ours[1], vectors.to(dtype))


@pytest.mark.parametrize("operation", [gl.linalg.eigh, gl.linalg.eigvalsh])
def test_bad_input_is_named(operation) -> None:
    with pytest.raises(TypeError, match=r"A must be real floating point; got torch\.int64"):
        operation(torch.eye(3).long())
    with pytest.raises(ValueError, match=r"A must have shape \(\.\.\., d, d\); got \(3, 4\)"):
        operation(torch.zeros(3, 4))
    with pytest.raises(TypeError, match=r"A must be a torch\.Tensor; got ndarray"):
        operation(np.eye(3))


@pytest.mark.skipif(_kernels.core is None, reason="installed without the compiled core")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("d", [1, 2, 3, 5, 8, 20, 33, 48])
def test_the_kernel_converges_without_lapack(
    isa: str, d: int, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(matrices: Tensor) -> Tensor:
        raise AssertionError(f"{len(matrices)} matrices fell back to LAPACK")

    monkeypatch.setattr(kernel_module, "lapack_eigh", refuse)
    monkeypatch.setattr(kernel_module, "lapack_eigvalsh", refuse)
    matrices = torch.cat([structured(d, 3), symmetric(gaussian(d, 500, d, d))]).to(dtype)
    matrices[7, 0, 0] = math.nan
    assert gl.linalg.eigvalsh(matrices).isfinite().all(-1).sum() == len(matrices) - 1
    assert gl.linalg.eigh(matrices)[1].isfinite().flatten(1).all(-1).sum() == len(matrices) - 1


@pytest.mark.parametrize("dtype", DTYPES)
def test_matrices_that_did_not_converge_go_to_lapack(dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    matrices = symmetric(gaussian(0, 9, 6, 6, dtype=dtype))
    expected, basis = (x.clone() for x in gl.linalg.eigh(matrices))
    expected[4], basis[4] = lapack_eigh(matrices[4])
    alone = gl.linalg.eigvalsh(matrices)
    alone[4] = lapack_eigvalsh(matrices[4])
    launch = _kernels.launch

    def spoil_the_fifth(
        name: str, kind: torch.dtype, a: int, values: int, vectors: int, failed: int, *sizes: int
    ) -> None:
        launch(name, kind, a, values, vectors, failed, *sizes)
        ctypes.memset(values + 4 * 6 * kind.itemsize, 0, 6 * kind.itemsize)
        if vectors:
            ctypes.memset(vectors + 4 * 36 * kind.itemsize, 0, 36 * kind.itemsize)
        ctypes.memset(failed + 4, 1, 1)

    monkeypatch.setattr(_kernels, "launch", spoil_the_fifth)
    values, vectors = gl.linalg.eigh(matrices)
    assert torch.equal(values, expected)
    assert torch.equal(vectors, basis)
    assert torch.equal(gl.linalg.eigvalsh(matrices), alone)
