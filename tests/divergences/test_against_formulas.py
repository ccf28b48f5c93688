"""Every divergence of both families against its textbook formula in 60 digits; gradients; every transform."""

import warnings
from collections.abc import Callable

import divergences_mpmath as exact
import pytest
import torch
from gaussian_pairs import near_pair, random_pair, standard
from strategies import gaussian
from torch import Tensor

import geolatent as gl
from geolatent.manifolds import DiagonalGaussian, Gaussian

Divergence = Callable[..., Tensor]
EPS = torch.finfo(torch.float64).eps


def renyi_of(order: float) -> tuple[Divergence, Divergence]:
    return (lambda p, q: gl.divergences.renyi_divergence(p, q, order)), (lambda p, q: exact.renyi(p, q, order))


def symmetrised(
    formula: Callable[[Gaussian, Gaussian], object], weight: float
) -> Callable[[Gaussian, Gaussian], object]:
    return lambda p, q: weight * (formula(p, q) + formula(q, p))  # type: ignore[operator]


FORMULAS = {
    "kl": (gl.divergences.kl_divergence, exact.kullback_leibler),
    "jeffreys": (gl.divergences.jeffreys_divergence, symmetrised(exact.kullback_leibler, 1)),
    **{f"renyi {order}": renyi_of(order) for order in (0.003, 0.3, 0.5, 0.8, 1 - 1e-9, 1.2, 4.0)},
    "symmetric renyi": (
        lambda p, q: gl.divergences.symmetric_renyi_divergence(p, q, 0.7),
        symmetrised(lambda p, q: exact.renyi(p, q, 0.7), 0.5),
    ),
    "bhattacharyya": (gl.divergences.bhattacharyya_distance, exact.bhattacharyya),
    "hellinger": (gl.divergences.hellinger_distance, exact.hellinger),
    "wasserstein": (gl.divergences.wasserstein_distance, exact.wasserstein),
}
everything = pytest.mark.parametrize(("ours", "formula"), FORMULAS.values(), ids=FORMULAS)
differentiable = pytest.mark.parametrize("ours", [ours for ours, _ in FORMULAS.values()], ids=FORMULAS)

PAIRS = {
    "random n = 1": random_pair(1, 1),
    "random n = 2": random_pair(2, 2),
    "random n = 5": random_pair(3, 5, condition=1e4),
    "equal means": tuple(x._replace(loc=torch.zeros(3, dtype=torch.float64)) for x in random_pair(4, 3)),
    "far": (random_pair(5, 3)[0], Gaussian(*(1e5 * x for x in random_pair(6, 3)[1]))),
    **{f"near {size:g}": near_pair(7, 3, size) for size in (0.3, 1e-2, 1e-5, 1e-9)},
}


def condition(*points: Gaussian) -> float:
    return max(torch.linalg.cond(point.covariance_matrix).item() for point in points)


def coordinates(point: Gaussian) -> DiagonalGaussian:
    """The diagonal Gaussian with the marginals of ``point``."""
    return DiagonalGaussian(point.loc, point.covariance_matrix.diagonal().sqrt())


def widened(point: DiagonalGaussian) -> Gaussian:
    """The same Gaussian, its variances rounded (a relative change of eps)."""
    return Gaussian(point.loc, torch.diag_embed(point.scale.square()))


@everything
@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_full_covariances(pair: tuple[Gaussian, Gaussian], ours: Divergence, formula: Callable[..., object]) -> None:
    bound = 50 * pair[0].loc.shape[-1] * EPS * condition(*pair)
    assert exact.relative_error(ours(*pair), formula(*pair)) <= bound


@everything
@pytest.mark.parametrize("shift", [0.0, 1e-9, 1e-3, 1.0, 1e3])
@pytest.mark.parametrize("growth", [1e-9, 1e-3, 0.4, 0.6, 30.0])
def test_diagonal_covariances(shift: float, growth: float, ours: Divergence, formula: Callable[..., object]) -> None:
    p = DiagonalGaussian(torch.tensor([0.0, 1.0]).double(), torch.tensor([1.0, 2.0]).double())
    direction = torch.tensor([1.0, 0.25]).double()
    q = DiagonalGaussian(p.loc + shift * direction, p.scale * (1 + growth * direction))
    assert exact.relative_error(ours(p, q), formula(_Squared(p), _Squared(q))) <= 50 * EPS


class _Squared:
    """A diagonal Gaussian whose covariance matrix is squared in 60 digits, for the formulas."""

    def __init__(self, point: DiagonalGaussian) -> None:
        self.loc = point.loc
        self.covariance_matrix = self
        self.scale = point.scale

    @exact.at_60_digits
    def tolist(self) -> list[list[object]]:
        squares = [exact.mp.mpf(scale) ** 2 for scale in self.scale.tolist()]
        return [[square if i == j else 0 for j in range(len(squares))] for i, square in enumerate(squares)]


@differentiable
@pytest.mark.parametrize("size", [0.9, 0.01])
def test_diagonal_is_full_on_diagonal_covariances(size: float, ours: Divergence) -> None:
    p, q = (coordinates(point) for point in near_pair(8, 4, size))
    torch.testing.assert_close(ours(p, q), ours(widened(p), widened(q)), rtol=1e-11, atol=0)


@differentiable
def test_coincident_points_have_value_and_gradient_zero(ours: Divergence) -> None:
    full = Gaussian(gaussian(9, 2, 3), torch.stack([torch.eye(3, dtype=torch.float64), random_pair(9, 3)[0][1]]))
    for point in (full, coordinates(random_pair(10, 3)[0])):
        leaves = [x.clone().requires_grad_() for x in (*point, *point)]
        value = ours(type(point)(*leaves[:2]), type(point)(*leaves[2:]))
        assert torch.equal(value, torch.zeros_like(value))
        for gradient in torch.autograd.grad(value.sum(), leaves):
            assert torch.equal(gradient, torch.zeros_like(gradient))


def on_covariance_factors(ours: Divergence) -> Divergence:
    """The divergence as a function of tensors that may be perturbed freely."""

    def function(loc_p: Tensor, factor_p: Tensor, loc_q: Tensor, factor_q: Tensor) -> Tensor:
        return ours(Gaussian(loc_p, factor_p @ factor_p.mT), Gaussian(loc_q, factor_q @ factor_q.mT))

    return function


def factors(pair: tuple[Gaussian, Gaussian]) -> list[Tensor]:
    return [x for point in pair for x in (point.loc, torch.linalg.cholesky(point.covariance_matrix))]


GRADIENT_PAIRS = {  # Renyi divergences of order 4 are finite here
    "repeated eigenvalues": (standard(2), Gaussian(torch.ones(2).double(), 1.2 * torch.eye(2).double())),
    "near": near_pair(11, 2, 0.05),
    "far": (standard(2), Gaussian(torch.ones(2).double(), torch.tensor([[3.0, 0.5], [0.5, 1.1]]).double())),
}


@differentiable
@pytest.mark.parametrize("pair", GRADIENT_PAIRS.values(), ids=GRADIENT_PAIRS)
def test_gradients_of_first_and_second_order(pair: tuple[Gaussian, Gaussian], ours: Divergence) -> None:
    function, inputs = on_covariance_factors(ours), tuple(x.requires_grad_() for x in factors(pair))
    assert function(*inputs).isfinite()
    assert torch.autograd.gradcheck(function, inputs, check_forward_ad=True)
    assert torch.autograd.gradgradcheck(function, inputs)


@differentiable
def test_transforms_agree(ours: Divergence) -> None:
    function, inputs = on_covariance_factors(ours), factors(near_pair(13, 2, 0.4))
    alone = lambda factor: function(inputs[0], factor, *inputs[2:])  # noqa: E731
    reverse = torch.func.jacrev(torch.func.jacrev(alone))(inputs[1])
    for outer, inner in ((torch.func.jacfwd, torch.func.jacrev), (torch.func.jacfwd, torch.func.jacfwd)):
        torch.testing.assert_close(outer(inner(alone))(inputs[1]), reverse, rtol=1e-9, atol=1e-9)
    batch = torch.stack([inputs[1], inputs[3]])
    torch.testing.assert_close(torch.func.vmap(alone)(batch), torch.stack([alone(x) for x in batch]))
    torch.testing.assert_close(torch.func.vmap(torch.func.grad(alone))(batch)[0], torch.func.grad(alone)(batch[0]))


@pytest.mark.parametrize("name", ["kl", "renyi 0.3", "wasserstein"])
def test_compiles_in_one_graph(name: str) -> None:
    function, inputs = on_covariance_factors(FORMULAS[name][0]), factors(near_pair(14, 2, 0.4))
    inputs[1].requires_grad_()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compiled = torch.compile(function, backend="aot_eager", fullgraph=True)(*inputs)
    eager = function(*inputs)
    torch.testing.assert_close(compiled, eager)
    torch.testing.assert_close(*(torch.autograd.grad(value, inputs[1])[0] for value in (compiled, eager)))
