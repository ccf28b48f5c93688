import ctypes
import math

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import MATRICES, dtypes, gaussian, generator, seeds
from torch import Tensor

import geolatent as gl
from geolatent import _kernels
from geolatent._kernels import svdvals as kernel_module
from geolatent._kernels.svdvals import lapack_svdvals
from geolatent._kernels.svdvals import svdvals as operator

DTYPES = [torch.float32, torch.float64]
SHAPES = [(1, 1), (2, 2), (3, 5), (8, 8), (5, 64), (17, 16), (20, 20), (20, 64), (33, 33), (48, 48), (64, 48), (49, 49)]
SHAPES += [(64, 7), (65, 3)]


def assert_contract(matrices: Tensor) -> Tensor:
    """Errors at most 20 max(m, n) eps ||A||, measured in float64."""
    values = gl.linalg.svdvals(matrices)
    assert values.dtype == matrices.dtype
    assert values.shape == (*matrices.shape[:-2], min(matrices.shape[-2:]))
    assert (values[..., 1:] <= values[..., :-1]).all()
    assert (values >= 0).all()
    scale = matrices.double().abs().amax((-1, -2), keepdim=True)
    scale = torch.where(scale > 0, scale, 1.0)
    exact = torch.from_numpy(np.linalg.svd((matrices.double() / scale).numpy(), compute_uv=False))
    bound = 20 * max(matrices.shape[-2:]) * torch.finfo(matrices.dtype).eps / 2 * exact[..., :1]
    assert ((values.double() / scale[..., 0] - exact).abs() <= bound).all()
    return values


def structured(d: int, count: int) -> Tensor:
    return torch.stack([make(seed, d) for seed in range(count) for make in MATRICES.values()])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_contract_on_every_instruction_set(isa: str, shape: tuple[int, int], dtype: torch.dtype) -> None:
    assert_contract(gaussian(0, 37, *shape, dtype=dtype))
    if shape[0] == shape[1]:
        assert_contract(structured(shape[0], 2).to(dtype))


@given(seeds, st.integers(1, 12), dtypes, st.lists(st.sampled_from(sorted(MATRICES)), min_size=1, max_size=40))
def test_contract_holds_for_any_mixture(seed: int, d: int, dtype: torch.dtype, kinds: list[str]) -> None:
    assert_contract(torch.stack([MATRICES[kind](seed, max(d, 2)) for kind in kinds]).to(dtype))


@pytest.mark.parametrize(("scale", "dtype"), [(1e-36, torch.float32), (1e37, torch.float32), (1e300, torch.float64)])
def test_huge_and_tiny(isa: str, scale: float, dtype: torch.dtype) -> None:
    assert_contract((gaussian(1, 20, 7, 7).clamp(-3, 3) * scale).to(dtype))


def test_small_singular_values_keep_their_digits(isa: str) -> None:
    columns = 10.0 ** -torch.arange(0, 30, 5, dtype=torch.float64)  # LAPACK keeps none of the last ones
    matrix = gaussian(0, 6, 6) * columns
    with mpmath.workdps(120):
        exact = mpmath.svd_r(mpmath.matrix(matrix.tolist()), compute_uv=False)
        exact = torch.tensor([float(value) for value in exact], dtype=torch.float64)
    if _kernels.core is not None:
        assert torch.allclose(gl.linalg.svdvals(matrix.mT), exact, rtol=1e-12, atol=0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (20, 20), (64, 33), (49, 49)])
@pytest.mark.parametrize("poison", [math.nan, math.inf])
def test_a_bad_matrix_harms_itself_alone(isa: str, shape: tuple[int, int], dtype: torch.dtype, poison: float) -> None:
    matrices = gaussian(0, 70, *shape, dtype=dtype)
    clean = gl.linalg.svdvals(matrices)
    matrices[13, 0, -1] = poison
    values = gl.linalg.svdvals(matrices)
    assert values[13].isnan().all()
    others = torch.arange(70) != 13
    assert torch.equal(values[others], clean[others])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("d", [2, 3, 8, 17, 48])
def test_permuting_the_batch_permutes_the_bits(isa: str, d: int, dtype: torch.dtype) -> None:
    matrices = structured(d, 6).to(dtype)
    order = torch.randperm(len(matrices), generator=generator(d))
    values, threads = gl.linalg.svdvals(matrices), torch.get_num_threads()
    assert torch.equal(gl.linalg.svdvals(matrices[order]), values[order])
    assert torch.equal(gl.linalg.svdvals(matrices[0]), values[0])
    try:
        torch.set_num_threads(3)
        assert torch.equal(gl.linalg.svdvals(matrices), values)
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("shape", [(0, 5, 3), (3, 0, 5, 5), (0, 4), (4, 3, 0)])
def test_empty(shape: tuple[int, ...]) -> None:
    assert gl.linalg.svdvals(torch.zeros(shape)).shape == (*shape[:-2], min(shape[-2:]))


def test_strides_and_half_precision() -> None:
    matrices = gaussian(0, 4, 6, 5)
    assert torch.equal(gl.linalg.svdvals(torch.stack([matrices, matrices], -1)[..., 0]), gl.linalg.svdvals(matrices))
    assert torch.equal(gl.linalg.svdvals(matrices.mT), gl.linalg.svdvals(matrices))
    half = matrices.bfloat16()
    assert torch.equal(gl.linalg.svdvals(half), gl.linalg.svdvals(half.float()).bfloat16())


def test_bad_input_is_named() -> None:
    with pytest.raises(TypeError, match=r"A must be real floating point; got torch\.int64"):
        gl.linalg.svdvals(torch.eye(3).long())
    with pytest.raises(ValueError, match=r"A must have shape \(\.\.\., m, n\); got \(3,\)"):
        gl.linalg.svdvals(torch.zeros(3))


@pytest.mark.skipif(_kernels.core is None, reason="installed without the compiled core")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("d", [1, 2, 3, 6, 7, 8, 20, 48])
def test_the_kernel_converges_without_lapack(
    isa: str, d: int, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(matrices: Tensor) -> Tensor:
        raise AssertionError(f"{len(matrices)} matrices fell back to LAPACK")

    monkeypatch.setattr(kernel_module, "lapack_svdvals", refuse)
    kinds = [structured(d, 3)] if d > 1 else []
    assert gl.linalg.svdvals(torch.cat([*kinds, gaussian(d, 500, d, d)]).to(dtype)).isfinite().all()
    assert gl.linalg.svdvals(gaussian(d, 500, d, 64, dtype=dtype)).isfinite().all()


def test_matrices_that_did_not_converge_go_to_lapack(monkeypatch: pytest.MonkeyPatch) -> None:
    matrices = gaussian(0, 9, 6, 6)
    expected = gl.linalg.svdvals(matrices)
    expected[4] = lapack_svdvals(matrices[4])
    launch = _kernels.launch

    def spoil_the_fifth(name: str, kind: torch.dtype, *arguments: int) -> None:
        launch(name, kind, *arguments)
        ctypes.memset(arguments[1] + 4 * 6 * 8, 0, 6 * 8)
        ctypes.memset(arguments[2] + 4, 1, 1)

    monkeypatch.setattr(_kernels, "launch", spoil_the_fifth)
    assert torch.equal(gl.linalg.svdvals(matrices), expected)


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (4, 2), (2, 4)])
def test_gradcheck(shape: tuple[int, int]) -> None:
    matrices = gaussian(0, 3, *shape).requires_grad_()
    assert torch.autograd.gradcheck(gl.linalg.svdvals, (matrices,))
    assert torch.autograd.gradgradcheck(gl.linalg.svdvals, (matrices,))


def test_transforms_give_the_answer_of_the_formula() -> None:
    matrices, direction = gaussian(0, 5, 4, 3), gaussian(1, 5, 4, 3)

    def cubed(matrices: Tensor) -> Tensor:
        return (gl.linalg.svdvals(matrices) ** 3).sum()

    (expected,) = torch.autograd.grad(cubed(leaf := matrices.clone().requires_grad_()), leaf)
    assert torch.allclose(torch.func.grad(cubed)(matrices), expected, rtol=1e-9)
    assert torch.allclose(torch.func.jacfwd(cubed)(matrices), expected, rtol=1e-9)
    assert torch.allclose(torch.func.vmap(torch.func.grad(cubed))(matrices), expected, rtol=1e-9)
    _, tangent = torch.func.jvp(cubed, (matrices,), (direction,))
    assert torch.allclose(tangent, (expected * direction).sum(), rtol=1e-9)
    with torch.autograd.forward_ad.dual_level():
        dual = cubed(torch.autograd.forward_ad.make_dual(matrices, direction))
        assert torch.allclose(torch.autograd.forward_ad.unpack_dual(dual).tangent, tangent, rtol=1e-9)
    hessian = torch.autograd.functional.hessian(cubed, matrices)
    assert torch.allclose(torch.func.hessian(cubed)(matrices), hessian, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("requires_grad", [False, True])
def test_operator_registrations(requires_grad: bool) -> None:
    matrices = gaussian(7, 2, 3, 4).requires_grad_(requires_grad)
    torch.library.opcheck(operator, (matrices,))
    assert torch.equal(torch.vmap(operator)(matrices.detach()), operator(matrices.detach()))
    torch.compiler.reset()
    compiled = torch.compile(gl.linalg.svdvals, fullgraph=True, backend="aot_eager")
    assert torch.allclose(compiled(matrices), gl.linalg.svdvals(matrices), rtol=1e-12)
