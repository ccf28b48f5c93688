"""Derivatives of the distance and of the logarithm: against 80 digits, by gradcheck, and by every transform."""

from collections.abc import Callable

import pytest
import torch
from fisher_rao_mpmath import DIGITS, exact, reference
from gaussian_pairs import near_pair, random_pair, stacked, symmetric
from mpmath import mp
from strategies import gaussian
from torch import Tensor

import geolatent as gl
from geolatent.manifolds import Gaussian

PAIRS: dict[str, Callable[[int], tuple[Gaussian, Gaussian]]] = {
    "random": lambda n: random_pair(n, n),
    "near": lambda n: near_pair(n, n, 1e-3, condition=10),
    "coincident": lambda n: (random_pair(n, n)[0],) * 2,
    "far": lambda n: random_pair(n, n, condition=10, mahalanobis=1e2),
    "equal means": lambda n: (lambda a, b: (a, Gaussian(a.loc, b.covariance_matrix)))(*random_pair(n, n)),
    "equal covariances": lambda n: (lambda a, b: (a, Gaussian(b.loc, a.covariance_matrix)))(*random_pair(n, n)),
}


def leaves(pair: tuple[Gaussian, Gaussian]) -> list[Tensor]:
    """Means and Cholesky factors: free of the symmetry that finite differences would break."""
    return [
        tensor.detach().clone().requires_grad_()
        for point in pair
        for tensor in (point.loc, torch.linalg.cholesky(point.covariance_matrix))
    ]


def ends(loc_a: Tensor, factor_a: Tensor, loc_b: Tensor, factor_b: Tensor) -> tuple[Gaussian, Gaussian]:
    lower_a, lower_b = factor_a.tril(), factor_b.tril()
    return Gaussian(loc_a, lower_a @ lower_a.mT), Gaussian(loc_b, lower_b @ lower_b.mT)


def squared_dist(*parameters: Tensor) -> Tensor:
    return gl.manifolds.MultivariateGaussians(parameters[0].shape[-1]).squared_dist(*ends(*parameters))


def dist(*parameters: Tensor) -> Tensor:
    return gl.manifolds.MultivariateGaussians(parameters[0].shape[-1]).dist(*ends(*parameters))


def log(*parameters: Tensor) -> tuple[Tensor, Tensor]:
    start, end = ends(*parameters)
    return tuple(gl.manifolds.MultivariateGaussians(start.loc.shape[-1]).log(end, start))


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("mean", [1e-3, 2.0, 30.0])
def test_first_and_second_derivative_of_the_reference(n: int, mean: float) -> None:
    start, end = random_pair(n + 40, n, mahalanobis=mean)
    points = [*start, *end]
    steps = [0.1 * gaussian(1, n), 0.1 * symmetric(gaussian(2, n, n)), 0.1 * gaussian(3, n)]
    steps += [0.1 * symmetric(gaussian(4, n, n))]

    def ours(time: Tensor) -> Tensor:
        moved = [point + time * step for point, step in zip(points, steps, strict=True)]
        return gl.manifolds.MultivariateGaussians(n).dist(Gaussian(*moved[:2]), Gaussian(*moved[2:]))

    with mp.workdps(DIGITS):
        size = mp.mpf(10) ** -20
        before, here, after = (
            reference(
                *(tuple(exact(points[k]) + sign * size * exact(steps[k]) for k in (i, i + 1)) for i in (0, 2))
            ).dist
            for sign in (-1, 0, 1)
        )
        slope, bend = float((after - before) / (2 * size)), float((after - 2 * here + before) / size**2)
    time = torch.zeros((), dtype=torch.float64, requires_grad=True)
    (first,) = torch.autograd.grad(ours(time), time, create_graph=True)
    (second,) = torch.autograd.grad(first, time)
    scale = sum(float(step.norm()) for step in steps)
    assert first.item() == pytest.approx(slope, rel=1e-9, abs=1e-10 * scale)
    assert second.item() == pytest.approx(bend, rel=1e-7, abs=1e-8 * scale)


@pytest.mark.parametrize("n", [1, 2, pytest.param(3, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", PAIRS)
def test_gradcheck_and_gradgradcheck_of_the_squared_distance(kind: str, n: int) -> None:
    inputs = leaves(PAIRS[kind](n))
    assert torch.autograd.gradcheck(squared_dist, inputs, check_forward_ad=True)
    assert torch.autograd.gradgradcheck(squared_dist, inputs, atol=1e-4)


@pytest.mark.parametrize("n", [1, 2, pytest.param(3, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", [kind for kind in PAIRS if kind not in ("near", "coincident")])
def test_gradcheck_and_gradgradcheck_of_the_distance(kind: str, n: int) -> None:
    inputs = leaves(PAIRS[kind](n))
    assert torch.autograd.gradcheck(dist, inputs, check_forward_ad=True)
    assert torch.autograd.gradgradcheck(dist, inputs, atol=1e-4)


@pytest.mark.parametrize("n", [1, 2, pytest.param(3, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", [kind for kind in PAIRS if kind != "far"])
def test_gradcheck_of_the_logarithm(kind: str, n: int) -> None:
    assert torch.autograd.gradcheck(log, leaves(PAIRS[kind](n)), check_forward_ad=True)


@pytest.mark.parametrize("n", [1, 2, pytest.param(3, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", PAIRS)
def test_derivatives_are_finite(kind: str, n: int) -> None:
    inputs = leaves(PAIRS[kind](n))
    first = torch.autograd.grad(dist(*inputs), inputs, create_graph=True)
    second = torch.autograd.grad(sum(gradient.sum() for gradient in first), inputs, allow_unused=True)
    assert all(gradient.isfinite().all() for gradient in (*first, *(g for g in second if g is not None)))
    if kind == "coincident":
        assert all((gradient == 0).all() for gradient in first)


@pytest.fixture
def batch() -> list[Tensor]:
    return [x.detach() for x in leaves(stacked([random_pair(seed, 3) for seed in range(4)]))]


def test_vmap(batch: list[Tensor]) -> None:
    expected = dist(*batch)
    assert torch.allclose(torch.func.vmap(dist)(*batch), expected, rtol=1e-12)
    one_end = torch.func.vmap(dist, in_dims=(None, None, 0, 0))(batch[0][0], batch[1][0], *batch[2:])
    assert torch.allclose(one_end[0], expected[0], rtol=1e-12)
    last = torch.func.vmap(dist, in_dims=(1, 2, 1, 2))(*(x.movedim(0, x.ndim - 1) for x in batch))
    assert torch.allclose(last, expected, rtol=1e-12)
    assert torch.allclose(torch.func.vmap(log)(*batch)[1], log(*batch)[1], rtol=1e-10, atol=1e-12)


def test_gradients_by_every_route(batch: list[Tensor]) -> None:
    inputs = [x.clone().requires_grad_() for x in batch]
    expected = torch.autograd.grad(dist(*inputs).sum(), inputs)
    per_sample = torch.func.vmap(torch.func.grad(dist, argnums=(0, 1, 2, 3)))(*batch)
    reverse = torch.func.vmap(torch.func.jacrev(dist, argnums=(0, 1, 2, 3)))(*batch)
    forward = torch.func.vmap(torch.func.jacfwd(dist, argnums=(0, 1, 2, 3)))(*batch)
    for route in (per_sample, reverse, forward):
        for ours, theirs in zip(route, expected, strict=True):
            assert torch.allclose(ours, theirs, rtol=1e-10, atol=1e-12)
    tangents = tuple(gaussian(seed, *x.shape) for seed, x in enumerate(batch))
    _, along = torch.func.jvp(dist, tuple(batch), tangents)
    products = zip(expected, tangents, strict=True)
    assert torch.allclose(along, sum((g * t).flatten(1).sum(1) for g, t in products), rtol=1e-10, atol=1e-12)


def test_hessians_by_every_route(batch: list[Tensor]) -> None:
    one = [x[0] for x in batch]
    expected = torch.autograd.functional.hessian(dist, tuple(one))
    forward_over_reverse = torch.func.hessian(dist, argnums=(0, 1, 2, 3))(*one)
    reverse_over_reverse = torch.func.jacrev(torch.func.jacrev(dist, argnums=(0, 1, 2, 3)), argnums=(0, 1, 2, 3))(*one)
    for route in (forward_over_reverse, reverse_over_reverse):
        for row, expected_row in zip(route, expected, strict=True):
            for block, expected_block in zip(row, expected_row, strict=True):
                assert torch.allclose(block, expected_block, rtol=1e-8, atol=1e-10)


def test_transforms_of_coincident_pairs_hold_no_nan() -> None:
    same = [x.detach() for x in leaves(PAIRS["coincident"](2))]
    tangents = tuple(torch.ones_like(x) for x in same)
    for value in (torch.func.jvp(dist, tuple(same), tangents)[1], *torch.func.grad(dist, argnums=(0, 1, 2, 3))(*same)):
        assert (value == 0).all()
    assert torch.func.jvp(squared_dist, tuple(same), tangents)[1].isfinite()


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # torch's own
@pytest.mark.parametrize("backend", ["eager", "aot_eager", "inductor"])
def test_compile_in_full(backend: str, batch: list[Tensor]) -> None:
    torch.compiler.reset()
    compiled = torch.compile(lambda *x: dist(*x), fullgraph=True, backend=backend)
    assert torch.allclose(compiled(*batch), dist(*batch), rtol=1e-10)
    inputs, plain = ([x.clone().requires_grad_() for x in batch] for _ in range(2))
    compiled(*inputs).sum().backward()
    dist(*plain).sum().backward()
    for ours, theirs in zip(inputs, plain, strict=True):
        assert torch.allclose(ours.grad, theirs.grad, rtol=1e-8, atol=1e-10)
