import pytest
import torch
from strategies import gaussian
from torch import Tensor

import geolatent as gl
from geolatent import _kernels
from geolatent._kernels.eigvals import eigvals as operator


def pairs(matrices: Tensor) -> Tensor:
    return torch.view_as_real(gl.linalg.eigvals(matrices))


def spread(matrices: Tensor) -> Tensor:
    values = gl.linalg.eigvals(matrices)
    return values.abs().pow(3).sum() + values.real.pow(2).sum()


@pytest.mark.parametrize("d", [1, 2, 3, 5])
def test_gradcheck(d: int) -> None:
    matrices = gaussian(d, 3, d, d).requires_grad_()
    assert torch.autograd.gradcheck(pairs, (matrices,))
    assert torch.autograd.gradgradcheck(pairs, (matrices,))


def test_gradient_where_moduli_tie() -> None:
    # +-1 have one modulus, so that rounding decides their order: each gradient must follow its own eigenvalue.
    basis = gaussian(5, 6, 6)
    spectrum = torch.diag(torch.tensor([1.0, -1.0, 2.0, -2.0, 3.0, -3.0], dtype=torch.float64))
    matrix = (basis @ spectrum @ basis.inverse()).requires_grad_()
    values = gl.linalg.eigvals(matrix)
    (gradient,) = torch.autograd.grad((values**3).real.sum(), matrix)
    expected = 3 * torch.linalg.matrix_power(matrix.detach().mT, 2)
    assert torch.allclose(gradient, expected, atol=1e-9)


@pytest.mark.parametrize("matrix", [torch.eye(3), torch.tensor([[1.0, 1.0], [0.0, 1.0]]), torch.zeros(4, 4)])
def test_repeated_eigenvalues_have_no_gradient(matrix: Tensor) -> None:
    d = len(matrix)
    batch = torch.stack([gaussian(0, d, d, dtype=torch.float32), matrix]).requires_grad_()
    values = gl.linalg.eigvals(batch)
    with pytest.raises(torch.linalg.LinAlgError, match="matrix 1 of the batch has repeated"):
        (values.real**2 + values.real).sum().backward()


def test_a_bad_matrix_has_a_bad_gradient_alone() -> None:
    batch = gaussian(0, 3, 4, 4)
    batch[1, 2, 2] = torch.nan
    batch.requires_grad_()
    gl.linalg.eigvals(batch).abs().sum().backward()
    assert batch.grad is not None
    assert batch.grad[1].isnan().all()
    assert batch.grad[[0, 2]].isfinite().all()


def test_transforms_give_the_answer_of_the_formula() -> None:
    matrices, direction = gaussian(0, 5, 4, 4), gaussian(1, 5, 4, 4)
    eager = matrices.clone().requires_grad_()
    (expected,) = torch.autograd.grad(spread(eager), eager)
    assert torch.allclose(torch.func.grad(spread)(matrices), expected, rtol=1e-10)
    _, tangent = torch.func.jvp(spread, (matrices,), (direction,))
    assert torch.allclose(tangent, (expected * direction).sum(), rtol=1e-10)
    assert torch.allclose(torch.func.jacrev(spread)(matrices), expected, rtol=1e-10)
    assert torch.allclose(torch.func.jacfwd(spread)(matrices), expected, rtol=1e-10)
    assert torch.allclose(torch.func.vmap(torch.func.grad(spread))(matrices), expected, rtol=1e-10)
    mapped = torch.func.vmap(gl.linalg.eigvals)(matrices)
    assert torch.allclose(mapped, gl.linalg.eigvals(matrices), rtol=1e-10)


def test_forward_mode_is_never_a_silent_zero() -> None:
    matrix, direction = gaussian(2, 4, 4), gaussian(3, 4, 4)
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(matrix, direction)
        tangent = torch.autograd.forward_ad.unpack_dual(spread(dual)).tangent
    (gradient,) = torch.autograd.grad(spread(eager := matrix.clone().requires_grad_()), eager)
    assert torch.allclose(tangent, (gradient * direction).sum(), rtol=1e-10)


def test_hessian() -> None:
    matrix = gaussian(4, 3, 3)
    hessian = torch.func.hessian(spread)(matrix).reshape(9, 9)
    expected = torch.autograd.functional.hessian(spread, matrix).reshape(9, 9)
    assert torch.allclose(hessian, expected, rtol=1e-8, atol=1e-10)
    assert hessian.abs().max() > 1


@pytest.mark.filterwarnings("ignore:Torchinductor does not support code generation for complex operators")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("backend", ["eager", "aot_eager", "inductor"])
def test_compile_in_full(backend: str) -> None:
    matrices = gaussian(6, 5, 4, 4)
    torch.compiler.reset()
    compiled = torch.compile(lambda m: gl.linalg.eigvals(m).abs().sum(-1), fullgraph=True, backend=backend)
    assert torch.allclose(compiled(matrices), gl.linalg.eigvals(matrices).abs().sum(-1), rtol=1e-10)


@pytest.mark.parametrize("requires_grad", [False, True])
def test_operator_registrations(requires_grad: bool) -> None:
    matrices = gaussian(7, 2, 3, 3).requires_grad_(requires_grad)
    torch.library.opcheck(operator, (matrices,))
    mapped = torch.vmap(operator)(matrices.detach())
    assert torch.equal(mapped, operator(matrices.detach()))


def test_predicate() -> None:
    plain = torch.zeros(2, 2)
    assert _kernels.usable(plain) == (_kernels.core is not None)
    assert not _kernels.usable(plain.half())
    assert not _kernels.usable(torch.zeros(2, 2, device="meta"))
    seen: list[bool] = []
    torch.func.vmap(lambda x: seen.append(_kernels.usable(x)) or x)(plain)
    torch.func.grad(lambda x: seen.append(_kernels.usable(x)) or x.sum())(plain)
    torch.func.jvp(lambda x: seen.append(_kernels.usable(x)) or x, (plain,), (plain,))
    assert seen == [False, False, False]
