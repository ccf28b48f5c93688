import pytest
import torch
from strategies import gaussian
from torch import Tensor

import geolatent as gl
from geolatent._kernels.eigh import eigh as decomposition
from geolatent._kernels.eigh import eigvalsh as spectrum


def symmetric(matrices: Tensor) -> Tensor:
    return 0.5 * (matrices + matrices.mT)


def smooth(matrices: Tensor) -> Tensor:
    """Depend on eigenvalues and on eigenvectors, whatever their signs."""
    values, vectors = gl.linalg.eigh(symmetric(matrices))
    alone = gl.linalg.eigvalsh(symmetric(matrices))
    weights = torch.arange(1.0, matrices.shape[-1] + 1, dtype=matrices.dtype)
    return (values**3).sum() + (vectors**4 * weights).sum() + (alone**2 * weights).sum()


def lapack(matrices: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(symmetric(matrices))
    weights = torch.arange(1.0, matrices.shape[-1] + 1, dtype=matrices.dtype)
    return (values**3).sum() + (vectors**4 * weights).sum() + (values**2 * weights).sum()


@pytest.mark.parametrize("d", [1, 2, 3, 5])
def test_gradcheck(d: int) -> None:
    matrices = gaussian(d, 3, d, d).requires_grad_()
    assert torch.autograd.gradcheck(smooth, (matrices,))
    assert torch.autograd.gradgradcheck(smooth, (matrices,))


def test_gradients_are_torchs() -> None:
    matrices = symmetric(gaussian(0, 6, 5, 5)).requires_grad_()
    weights = gaussian(1, 6, 5, 5)
    for part in range(2):
        ours, theirs = (
            torch.autograd.grad((operation(matrices)[part].abs() * weights[:, : 1 + 4 * part]).sum(), matrices)[0]
            for operation in (gl.linalg.eigh, torch.linalg.eigh)
        )
        assert torch.allclose(ours, theirs, rtol=1e-10, atol=1e-10)


def test_eigenvalues_alone_have_a_gradient_where_they_are_repeated() -> None:
    matrix = torch.eye(3, dtype=torch.float64).requires_grad_()
    for values in (gl.linalg.eigh(matrix)[0], gl.linalg.eigvalsh(matrix)):
        (gradient,) = torch.autograd.grad((values**2).sum(), matrix)
        assert torch.allclose(gradient, 2 * torch.eye(3, dtype=torch.float64), rtol=0, atol=1e-14)


def test_a_bad_matrix_has_a_bad_gradient_alone() -> None:
    batch = symmetric(gaussian(0, 3, 4, 4))
    batch[1, 2, 2] = torch.nan
    batch.requires_grad_()
    values, vectors = gl.linalg.eigh(batch)
    (gradient,) = torch.autograd.grad((values + vectors.abs().sum(-2)).sum(), batch)
    assert gradient[1].isnan().any()
    assert gradient[[0, 2]].isfinite().all()


def test_transforms_give_the_answer_of_the_formula() -> None:
    matrices, direction = gaussian(0, 5, 4, 4), gaussian(1, 5, 4, 4)
    eager = matrices.clone().requires_grad_()
    (expected,) = torch.autograd.grad(smooth(eager), eager)
    assert torch.allclose(torch.func.grad(lapack)(matrices), expected, rtol=1e-9)
    assert torch.allclose(torch.func.grad(smooth)(matrices), expected, rtol=1e-9)
    _, tangent = torch.func.jvp(smooth, (matrices,), (direction,))
    assert torch.allclose(tangent, (expected * direction).sum(), rtol=1e-9)
    assert torch.allclose(torch.func.jacfwd(smooth)(matrices), expected, rtol=1e-9)
    assert torch.allclose(torch.func.jacrev(smooth)(matrices), expected, rtol=1e-9)
    assert torch.allclose(torch.func.vmap(torch.func.grad(smooth))(matrices), expected, rtol=1e-9)
    assert torch.allclose(torch.func.vmap(gl.linalg.eigvalsh)(symmetric(matrices)), spectrum(symmetric(matrices)))


def test_forward_mode_is_never_a_silent_zero() -> None:
    matrix, direction = gaussian(2, 4, 4), gaussian(3, 4, 4)
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(matrix, direction)
        tangent = torch.autograd.forward_ad.unpack_dual(smooth(dual)).tangent
    (gradient,) = torch.autograd.grad(smooth(eager := matrix.clone().requires_grad_()), eager)
    assert torch.allclose(tangent, (gradient * direction).sum(), rtol=1e-9)


def test_hessian() -> None:
    matrix = gaussian(4, 3, 3)
    hessian = torch.func.hessian(smooth)(matrix)
    expected = torch.autograd.functional.hessian(smooth, matrix)
    assert torch.allclose(hessian, expected, rtol=1e-8, atol=1e-9)
    assert hessian.abs().max() > 1


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_compile_in_full(backend: str) -> None:
    matrices = symmetric(gaussian(6, 5, 4, 4))
    torch.compiler.reset()
    compiled = torch.compile(lambda m: gl.linalg.eigvalsh(m) + gl.linalg.eigh(m)[0], fullgraph=True, backend=backend)
    assert torch.allclose(compiled(matrices), 2 * gl.linalg.eigvalsh(matrices), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("requires_grad", [False, True])
@pytest.mark.parametrize("operator", [decomposition, spectrum])
def test_operator_registrations(operator, requires_grad: bool) -> None:
    matrices = symmetric(gaussian(7, 2, 3, 3)).requires_grad_(requires_grad)
    torch.library.opcheck(operator, (matrices,))
    mapped, direct = torch.vmap(operator)(matrices.detach()), operator(matrices.detach())
    for a, b in zip(mapped, direct, strict=True) if isinstance(direct, tuple) else [(mapped, direct)]:
        assert torch.equal(a, b)
