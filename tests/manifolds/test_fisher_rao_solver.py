"""The compiled solver against its torch definition, at every instruction set, and the batch's independence."""

import pytest
import torch
from gaussian_pairs import random_pair, stacked, two_geodesics
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import seeds
from torch import Tensor

from geolatent import _kernels
from geolatent._kernels import fisher_rao as kernel
from geolatent.manifolds import ConvergenceWarning, Gaussian, MultivariateGaussians
from geolatent.manifolds.fisher_rao import geodesics as solver
from geolatent.manifolds.fisher_rao.bounds import torch_bounds
from geolatent.manifolds.fisher_rao.geodesics import torch_solve

compiled = pytest.mark.skipif(_kernels.core is None, reason="the compiled core is not installed")


def batch(seed: int, n: int, count: int) -> tuple[Gaussian, Gaussian]:
    return stacked([random_pair(seed + i, n, mahalanobis=0.5 * (i % 7)) for i in range(count)])


def parameters(seed: int, n: int, count: int) -> list[Tensor]:
    a, b = batch(seed, n, count)
    return [*a, *b]


@compiled
@settings(max_examples=10)
@given(seed=seeds, n=st.integers(1, 7), count=st.integers(1, 19))
@pytest.mark.parametrize("level", _kernels.isa_levels())
def test_the_kernel_is_the_formula(level: str, seed: int, n: int, count: int) -> None:
    pairs = parameters(seed, n, count)
    before = _kernels.isa()
    _kernels.use_isa(level)
    try:
        ours, bounds = kernel.solve(*pairs), kernel.bounds(*pairs)
    finally:
        _kernels.use_isa(before)
    theirs = torch_solve(*pairs)
    scale = theirs[0].sqrt() + 1e-300
    assert ((ours[0].sqrt() - theirs[0].sqrt()).abs() <= 1e-12 * scale).all()
    error = Gaussian(ours[1] - theirs[1], ours[2] - theirs[2])
    assert (MultivariateGaussians(n).norm(error, Gaussian(*pairs[:2])) <= 1e-10 * (1 + scale)).all()
    assert (ours[3] <= 1e-15).all()
    for bound, expected in zip(bounds, torch_bounds(*pairs), strict=True):
        assert ((bound - expected).abs() <= 1e-11 * expected).all()


@compiled
def test_the_formula_keeps_the_logarithms_of_far_pairs() -> None:
    a, b = stacked([random_pair(seed, 3, condition=1e4, mahalanobis=1e3) for seed in range(20)])
    ours, theirs = kernel.solve(*a, *b), torch_solve(*a, *b)
    error = MultivariateGaussians(3).norm(Gaussian(ours[1] - theirs[1], ours[2] - theirs[2]), a)
    assert (error <= 1e-11 * ours[0].sqrt()).all()


@compiled
@pytest.mark.parametrize("n", [2, 5, 8])
def test_residuals_end_at_rounding(n: int) -> None:
    a, b = stacked([random_pair(seed, n, condition=1e4, mahalanobis=1.0) for seed in range(200)])
    assert (kernel.solve(*a, *b)[3] <= 8e-16).all()


@compiled
@pytest.mark.parametrize("n", [16, 33, 64])
def test_large_dimensions(n: int) -> None:
    pairs = parameters(0, n, 2)
    ours, theirs = kernel.solve(*pairs), torch_solve(*pairs)
    assert ((ours[0] / theirs[0] - 1).abs() <= 1e-12).all()
    assert (ours[3] <= 1e-12).all()


@compiled
@settings(max_examples=10)
@given(seed=seeds, n=st.integers(1, 6))
def test_a_pair_does_not_feel_its_neighbours(seed: int, n: int) -> None:
    pairs = parameters(seed, n, 21)
    together = kernel.solve(*pairs)
    order = torch.randperm(21, generator=torch.Generator().manual_seed(seed))
    shuffled = kernel.solve(*(x[order].contiguous() for x in pairs))
    alone = kernel.solve(*(x[3:4].contiguous() for x in pairs))
    poisoned = [x.clone() for x in pairs]
    poisoned[1][5] = -torch.eye(n, dtype=torch.float64)
    poisoned[2][5] = torch.nan
    beside = kernel.solve(*poisoned)
    good = torch.arange(21) != 5
    for result, moved, single, other in zip(together, shuffled, alone, beside, strict=True):
        assert torch.equal(result[order], moved)
        assert torch.equal(result[3:4], single)
        assert torch.equal(result[good], other[good])
    assert beside[0][5].isnan()


@compiled
def test_threads_do_not_change_a_bit() -> None:
    pairs, before = parameters(1, 4, 100), torch.get_num_threads()
    results = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            results.append(kernel.solve(*pairs))
    finally:
        torch.set_num_threads(before)
    for one, two in zip(*results, strict=True):
        assert torch.equal(one, two)


@pytest.mark.parametrize("n", [1, 3])
def test_the_operators_are_well_formed(n: int) -> None:
    pairs = [x.requires_grad_() for x in parameters(2, n, 3)]
    torch.library.opcheck(torch.ops.geolatent.fisher_rao.default, pairs)
    torch.library.opcheck(torch.ops.geolatent.fisher_rao_bounds.default, [x.detach() for x in pairs])


def test_both_routes_find_the_shorter_of_two_geodesics() -> None:
    a, b = two_geodesics()
    for solve in (torch_solve, kernel.solve) if _kernels.core else (torch_solve,):
        found = solve(*(x[None].contiguous() for x in (*a, *b)))
        assert abs(found[0].sqrt().item() / 14.274270960838 - 1) < 1e-13


def test_what_does_not_converge_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver, "LARGEST_RESIDUAL", -1.0)
    a, b = batch(0, 3, 4)
    with pytest.warns(ConvergenceWarning, match=r"at batch index 0, 1, 2, 3 \(residual .*upper bound"):
        MultivariateGaussians(3).dist(a, b)


def test_derivatives_that_would_be_wrong_are_refused() -> None:
    a, b = batch(0, 2, 1)
    manifold = MultivariateGaussians(2)

    def squared(loc: Tensor) -> Tensor:
        return manifold.squared_dist(Gaussian(loc, a.covariance_matrix), b).sum()

    with pytest.raises(NotImplementedError, match="forward mode within forward mode"):
        torch.func.jacfwd(torch.func.jacfwd(squared))(a.loc)
    loc = a.loc.clone().requires_grad_()
    (first,) = torch.autograd.grad(squared(loc), loc, create_graph=True)
    (second,) = torch.autograd.grad(first.square().sum(), loc, create_graph=True)
    with pytest.raises(NotImplementedError, match="asks for one more"):
        second.sum().backward()
