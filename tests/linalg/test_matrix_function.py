"""Functions of matrices and their derivatives, at separate, close and repeated eigenvalues."""

from collections.abc import Callable

import pytest
import scipy.linalg
import torch
from strategies import gaussian
from torch import Tensor

import geolatent as gl
from geolatent.linalg.matrix_function import matrix_function_derivative
from geolatent.linalg.scalar_functions import Exponential, Logarithm, Power, ScalarFunction, SquareRoot

FUNCTIONS: dict[str, tuple[Callable[[Tensor], Tensor], ScalarFunction]] = {
    "log": (gl.linalg.spd_log, Logarithm()),
    "exp": (gl.linalg.spd_exp, Exponential()),
    "sqrt": (gl.linalg.spd_sqrt, SquareRoot()),
    "power": (lambda S: gl.linalg.spd_power(S, -1.3), Power(-1.3)),
}
SPECTRA = {
    "separate": [0.3, 0.9, 1.7, 3.1],
    "close": [1.0, 1.0 + 1e-9, 2.0, 2.0 + 1e-4],
    "repeated": [0.5, 0.5, 2.0, 2.0],
    "identity": [1.0, 1.0, 1.0, 1.0],
}
names = pytest.mark.parametrize("name", FUNCTIONS)
spectra = pytest.mark.parametrize("spectrum", SPECTRA)


def symmetric(matrix: Tensor) -> Tensor:
    return 0.5 * (matrix + matrix.mT)


def matrix_of(spectrum: str) -> Tensor:
    basis = torch.linalg.qr(gaussian(0, 4, 4)).Q
    return symmetric((basis * torch.tensor(SPECTRA[spectrum], dtype=torch.float64)) @ basis.mT)


def of_symmetric(name: str) -> Callable[[Tensor], Tensor]:
    return lambda matrix: FUNCTIONS[name][0](symmetric(matrix))


def cubed(name: str) -> Callable[[Tensor], Tensor]:
    weights = gaussian(9, 4, 4)
    return lambda matrix: ((of_symmetric(name)(matrix) + weights) ** 3).sum()


@names
@spectra
def test_gradcheck(name: str, spectrum: str) -> None:
    matrix = matrix_of(spectrum).requires_grad_()
    assert torch.autograd.gradcheck(of_symmetric(name), (matrix,))
    assert torch.autograd.gradgradcheck(of_symmetric(name), (matrix,))


def test_the_derivative_of_the_logarithm_and_of_the_exponential_are_scipys() -> None:
    direction = symmetric(gaussian(1, 4, 4))
    for spectrum in SPECTRA:
        matrix = matrix_of(spectrum)
        expected = scipy.linalg.expm_frechet(matrix.numpy(), direction.numpy(), compute_expm=False)
        found = matrix_function_derivative(Exponential(), matrix, direction)
        assert torch.allclose(found, torch.from_numpy(expected), rtol=1e-12, atol=1e-12)
        back = matrix_function_derivative(Logarithm(), gl.linalg.spd_exp(matrix), found)
        assert torch.allclose(back, direction, rtol=1e-11, atol=1e-11)


@names
@spectra
def test_transforms_agree(name: str, spectrum: str) -> None:
    function, scalar, matrix = of_symmetric(name), cubed(name), matrix_of(spectrum)
    jacobian = torch.autograd.functional.jacobian(function, matrix)
    assert torch.allclose(torch.func.jacrev(function)(matrix), jacobian, rtol=1e-12, atol=1e-12)
    assert torch.allclose(torch.func.jacfwd(function)(matrix), jacobian, rtol=1e-12, atol=1e-12)
    direction = gaussian(1, 4, 4)
    _, tangent = torch.func.jvp(function, (matrix,), (direction,))
    assert torch.allclose(tangent, (jacobian * direction).sum((-1, -2)), rtol=1e-12, atol=1e-12)
    with torch.autograd.forward_ad.dual_level():
        dual = function(torch.autograd.forward_ad.make_dual(matrix, direction))
        assert torch.allclose(torch.autograd.forward_ad.unpack_dual(dual).tangent, tangent, rtol=1e-12, atol=1e-12)
    hessian = torch.autograd.functional.hessian(scalar, matrix)
    assert hessian.isfinite().all()
    assert hessian.abs().max() > 1e-3
    for other in (
        torch.func.hessian,
        lambda f: torch.func.jacrev(torch.func.jacrev(f)),
        lambda f: torch.func.jacrev(torch.func.jacfwd(f)),
    ):
        assert torch.allclose(other(scalar)(matrix), hessian, rtol=1e-10, atol=1e-10)


@names
def test_vmap(name: str) -> None:
    matrices = torch.stack([matrix_of(spectrum) for spectrum in SPECTRA])
    for transform in (lambda f: f, torch.func.jacrev, torch.func.jacfwd):
        mapped = torch.func.vmap(transform(of_symmetric(name)))(matrices)
        single = torch.stack([transform(of_symmetric(name))(matrix) for matrix in matrices])
        assert torch.allclose(mapped, single, rtol=1e-11, atol=1e-11)
    mapped = torch.func.vmap(torch.func.hessian(cubed(name)))(matrices)
    single = torch.stack([torch.func.hessian(cubed(name))(matrix) for matrix in matrices])
    assert torch.allclose(mapped, single, rtol=1e-10, atol=1e-10)


@names
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_compile_in_full(name: str, backend: str) -> None:
    matrices = torch.stack([matrix_of(spectrum) for spectrum in SPECTRA]).requires_grad_()
    torch.compiler.reset()
    compiled = torch.compile(of_symmetric(name), fullgraph=True, backend=backend)
    expected = of_symmetric(name)(matrices)
    assert torch.allclose(compiled(matrices), expected, rtol=1e-11, atol=1e-11)
    (found,) = torch.autograd.grad((compiled(matrices) ** 3).sum(), matrices)
    (gradient,) = torch.autograd.grad((expected**3).sum(), matrices)
    assert torch.allclose(found, gradient, rtol=1e-10, atol=1e-10)


@names
def test_a_third_derivative_is_refused(name: str) -> None:
    matrix = matrix_of("separate")
    with pytest.raises(NotImplementedError, match="has two derivatives; this asks for a third"):
        torch.func.jacrev(torch.func.hessian(cubed(name)))(matrix)
    (gradient,) = torch.autograd.grad(cubed(name)(leaf := matrix.requires_grad_()), leaf, create_graph=True)
    (second,) = torch.autograd.grad(gradient.square().sum(), leaf, create_graph=True)
    with pytest.raises(NotImplementedError, match="has two derivatives; this asks for a third"):
        torch.autograd.grad(second.square().sum(), leaf)


@names
def test_forward_mode_within_forward_mode_is_refused(name: str) -> None:
    with pytest.raises(NotImplementedError, match="forward mode within forward mode"):
        torch.func.jacfwd(torch.func.jacfwd(cubed(name)))(matrix_of("separate"))


@names
def test_the_derivative_is_differentiable_in_the_matrix_and_in_the_direction(name: str) -> None:
    matrix, direction = matrix_of("repeated").requires_grad_(), gaussian(3, 2, 4, 4).requires_grad_()

    def derivative(matrix: Tensor, direction: Tensor) -> Tensor:
        return matrix_function_derivative(FUNCTIONS[name][1], symmetric(matrix), direction)

    assert derivative(matrix, direction).shape == (2, 4, 4)
    assert torch.autograd.gradcheck(derivative, (matrix, direction))
