import math

import mpmath
import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import dtypes, gaussian, seeds
from torch import Tensor

import geolatent as gl


def bases(seed: int, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.linalg.qr(gaussian(seed, *shape)).Q.to(dtype)


def pair_at(angles: Tensor, p: int, seed: int, more: int = 0) -> tuple[Tensor, Tensor]:
    """Bases of two subspaces with these angles, the second with ``more`` columns orthogonal to the first."""
    k = len(angles)
    frame = bases(seed, p, 2 * k + more)
    first, second, rest = frame.split([k, k, more], -1)
    turned = torch.cat([first * angles.cos() + second * angles.sin(), rest], -1)
    return first @ bases(seed + 1, k, k), turned @ bases(seed + 2, k + more, k + more)


def allowed(U: Tensor, V: Tensor) -> float:
    return 20 * U.shape[-2] ** 0.5 * max(U.shape[-1], V.shape[-1]) * torch.finfo(U.dtype).eps / 2


@pytest.mark.parametrize("more", [0, 3])
@pytest.mark.parametrize("p", [12, 784])
def test_angles_from_tiny_to_right(p: int, more: int) -> None:
    exact = (
        [1e-14, 1e-10, 1e-6, 1.2] if p == 12 else [1e-14, 1e-9, 1e-3, 0.7, math.pi / 4, math.pi / 2 - 1e-9, math.pi / 2]
    )
    exact = torch.tensor(exact, dtype=torch.float64)
    for seed in range(5):
        U, V = pair_at(exact, p, 3 * seed, more)
        for found in (gl.linalg.principal_angles(U, V), gl.linalg.principal_angles(V, U)):
            assert (found[1:] >= found[:-1]).all()
            assert ((found - exact).abs() <= min(allowed(U, V), 1e-12)).all()


def in_forty_digits(U: Tensor, V: Tensor) -> list[float]:
    with mpmath.workdps(40):
        first, second = (mpmath.qr(mpmath.matrix(basis.tolist()), mode="skinny")[0] for basis in (U, V))
        cosines = mpmath.svd_r(first.T * second, compute_uv=False)
        return sorted(float(mpmath.acos(min(cosine, 1))) for cosine in cosines)


@settings(max_examples=20)
@given(seeds, st.integers(1, 4), st.integers(1, 4), st.integers(0, 4), dtypes)
def test_forty_digits(seed: int, k: int, m: int, more: int, dtype: torch.dtype) -> None:
    p = max(k, m) + more
    U, V = bases(seed, p, k, dtype=dtype), bases(seed + 1, p, m, dtype=dtype)
    found = gl.linalg.principal_angles(U, V)
    assert found.dtype == dtype
    error = found.double() - torch.tensor(in_forty_digits(U.double(), V.double()), dtype=torch.float64)
    assert error.abs().max() <= allowed(U, V)


def test_scipy_agrees_up_to_its_error() -> None:
    U, V = bases(0, 7, 3), bases(1, 7, 5)  # two subspaces that meet: SciPy says 1.5e-08 for that angle
    found = gl.linalg.principal_angles(U, V)
    assert torch.allclose(
        found, torch.from_numpy(scipy.linalg.subspace_angles(U.numpy(), V.numpy())[::-1].copy()), rtol=0, atol=1e-7
    )
    assert found[0] == 0


@given(seeds, st.integers(1, 6), st.integers(1, 6))
def test_axioms(seed: int, k: int, m: int) -> None:
    p = 8
    U, V = bases(seed, 3, p, k), bases(seed + 1, 3, p, m)
    angles = gl.linalg.principal_angles(U, V)
    assert angles.shape == (3, min(k, m))
    assert ((angles >= 0) & (angles <= math.pi / 2)).all()
    tolerance = {"rtol": 0, "atol": 2 * allowed(U, V)}
    assert torch.allclose(gl.linalg.principal_angles(V, U), angles, **tolerance)
    turned = (bases(seed + 2, p, p) @ U @ bases(seed + 3, k, k), bases(seed + 2, p, p) @ V)
    assert torch.allclose(gl.linalg.principal_angles(*turned), angles, **tolerance)
    assert torch.equal(gl.linalg.principal_angles(U, U), torch.zeros(3, k, dtype=torch.float64))
    assert torch.equal(gl.linalg.principal_angles(U, U @ bases(seed + 3, k, k)), torch.zeros(3, k).double())


def test_batches_broadcast() -> None:
    U, V = bases(0, 4, 1, 7, 2), bases(1, 5, 7, 3)
    angles = gl.linalg.principal_angles(U, V)
    assert angles.shape == (4, 5, 2)
    assert torch.allclose(angles[2, 3], gl.linalg.principal_angles(U[2, 0], V[3]), rtol=1e-12)
    assert gl.linalg.principal_angles(torch.zeros(0, 7, 2), torch.zeros(0, 7, 3)).shape == (0, 2)


def test_half_precision_is_computed_in_float32() -> None:
    U, V = torch.eye(4)[:, :2], torch.eye(4)[:, 1:3]
    expected = torch.tensor([0.0, math.pi / 2]).bfloat16()
    assert torch.equal(gl.linalg.principal_angles(U.bfloat16(), V.bfloat16()), expected)


@pytest.mark.parametrize("exact", [[0.2, 0.5, 1.1], [0.3, 1.0, 1.5]])
def test_gradcheck(exact: list[float]) -> None:
    basis, other = (x.requires_grad_() for x in pair_at(torch.tensor(exact).double(), 9, 0, 1))

    def angles(U: Tensor, V: Tensor) -> Tensor:
        return gl.linalg.principal_angles(torch.linalg.qr(U).Q, torch.linalg.qr(V).Q)

    assert torch.autograd.gradcheck(angles, (basis, other))
    assert torch.autograd.gradgradcheck(angles, (basis, other))
    jacobian = torch.autograd.functional.jacobian(angles, (basis, other))
    assert torch.allclose(torch.func.jacrev(angles)(basis, other), jacobian[0], rtol=1e-9, atol=1e-12)
    assert torch.allclose(torch.func.jacfwd(angles)(basis, other), jacobian[0], rtol=1e-9, atol=1e-12)
    mapped = torch.func.vmap(angles)(torch.stack([basis, basis]), torch.stack([other, other]))
    assert torch.allclose(mapped[1], angles(basis, other), rtol=1e-12)


def test_the_gradient_is_zero_where_the_angle_is() -> None:
    U = bases(0, 8, 3)
    V = (U @ bases(1, 3, 3)).requires_grad_()
    (gradient,) = torch.autograd.grad(gl.linalg.principal_angles(U, V).sum(), V)
    assert torch.equal(gradient, torch.zeros_like(gradient))
    U, V = pair_at(torch.tensor([0.0, 0.4]).double(), 8, 0)
    V.requires_grad_()
    (all_angles,) = torch.autograd.grad(gl.linalg.principal_angles(U, V).sum(), V)
    (last,) = torch.autograd.grad(gl.linalg.principal_angles(U, V)[1], V)
    assert torch.allclose(all_angles, last, rtol=1e-12, atol=1e-12)
    assert last.norm() > 0.5


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_compile_in_full(backend: str) -> None:
    U, V = bases(0, 4, 7, 2), bases(1, 4, 7, 3)
    torch.compiler.reset()
    compiled = torch.compile(gl.linalg.principal_angles, fullgraph=True, backend=backend)
    assert torch.allclose(compiled(U, V), gl.linalg.principal_angles(U, V), rtol=1e-12)


def test_bad_input_is_named() -> None:
    U, V = bases(0, 5, 7, 2), bases(1, 5, 7, 3)
    with pytest.raises(TypeError, match=r"V must be real floating point; got torch\.int64"):
        gl.linalg.principal_angles(U, V.long())
    with pytest.raises(ValueError, match=r"U must have shape \(\.\.\., p, k\) with k <= p; got \(5, 2, 7\)"):
        gl.linalg.principal_angles(U.mT, V)
    with pytest.raises(ValueError, match="U and V must have the same number of rows; got 7 and 6"):
        gl.linalg.principal_angles(U, bases(1, 5, 6, 3))
    oblique = V.clone()
    oblique[3, :, 1] += 0.25 * V[3, :, 0]
    with pytest.raises(
        ValueError,
        match=r"V must have orthonormal columns; V\.mT @ V of matrix 3 of 5 differs from the identity by 0\.25: "
        r"use torch\.linalg\.qr\(V\)\.Q",
    ):
        gl.linalg.principal_angles(U, oblique)
    broken = U.clone()
    broken[1, 0, 0] = torch.nan
    with pytest.raises(ValueError, match="U must be finite; matrix 1 of 5 holds nan"):
        gl.linalg.principal_angles(broken, V)
