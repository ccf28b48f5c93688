"""What makes a Riemannian manifold, for every one of them."""

import pytest
import torch
from hypothesis import given, settings
from manifold_cases import Case, assert_close, combine, every_manifold
from strategies import seeds

from geolatent.manifolds.components import components

few = settings(max_examples=15)
COUNT = 6


@every_manifold
@few
@given(seeds)
def test_distances_are_symmetric_and_vanish_only_at_the_point(case: Case, seed: int) -> None:
    a, b = case.points(seed, COUNT), case.points(seed + 1, COUNT)
    assert_close(case.manifold.dist(a, b), case.manifold.dist(b, a), case.tolerance)
    assert (case.manifold.dist(a, b) > 0).all()
    assert torch.equal(case.manifold.dist(a, a), torch.zeros(COUNT, dtype=torch.float64))
    assert_close(case.manifold.dist(a, b).square(), case.manifold.squared_dist(a, b), case.tolerance)


@every_manifold
@few
@given(seeds)
def test_triangle_inequality(case: Case, seed: int) -> None:
    if not case.geodesic_length:
        pytest.skip("the distance is not the length of a geodesic of one metric")
    a, b, c = (case.points(seed + i, COUNT) for i in range(3))
    dist = case.manifold.dist
    assert (dist(a, c) <= (dist(a, b) + dist(b, c)) * (1 + case.tolerance)).all()


@every_manifold
@few
@given(seeds)
def test_inner_product_is_symmetric_bilinear_and_positive(case: Case, seed: int) -> None:
    base = case.points(seed, COUNT)
    u, v, w = (case.tangent(seed + i, base) for i in (1, 2, 3))
    inner = case.manifold.inner_product
    both = combine(lambda x, y: 2 * x - y, u, v)
    scale = case.manifold.norm(w, base) * (case.manifold.norm(u, base) + case.manifold.norm(v, base))
    assert ((inner(u, w, base) - inner(w, u, base)).abs() <= case.tolerance * scale).all()
    difference = inner(both, w, base) - 2 * inner(u, w, base) + inner(v, w, base)
    assert (difference.abs() <= 4 * case.tolerance * scale).all()
    assert (inner(u, u, base) > 0).all()
    assert_close(case.manifold.norm(u, base).square(), inner(u, u, base), case.tolerance)


@every_manifold
@few
@given(seeds)
def test_the_metric_is_the_distance_of_near_points(case: Case, seed: int) -> None:
    base = case.points(seed, COUNT)
    vector = case.tangent(seed + 1, base)
    norm, step = case.manifold.norm(vector, base), 1e-5
    near = [combine(lambda x, v, s=sign: x + s * step / norm.max() * v, base, vector) for sign in (1, -1)]
    near = [case.retract(point) for point in near]
    assert_close(case.manifold.dist(*near), 2 * step * norm / norm.max(), 1e-8)


@every_manifold
@few
@given(seeds)
def test_isometries_keep_distances(case: Case, seed: int) -> None:
    a, b = case.points(seed, COUNT), case.points(seed + 1, COUNT)
    move = case.isometry(seed + 2, a)
    expected = case.manifold.dist(a, b)
    assert_close(case.manifold.dist(move(a), move(b)), expected, 100 * case.tolerance)
    middle = case.manifold.geodesic(move(a), move(b))(0.3)
    assert (case.manifold.dist(middle, move(case.manifold.geodesic(a, b)(0.3))) <= case.closing).all()


@every_manifold
@few
@given(seeds)
def test_the_gradient_of_the_squared_distance_is_the_logarithm(case: Case, seed: int) -> None:
    if not case.geodesic_length:
        pytest.skip("the distance is not the length of a geodesic of one metric")
    a, b = case.points(seed, COUNT), case.points(seed + 1, COUNT)
    v = case.tangent(seed + 2, a)
    a = combine(lambda x: x.clone().requires_grad_(), a)
    gradients = torch.autograd.grad((case.manifold.squared_dist(a, b) / 2).sum(), components(a))
    slope = sum((g * x).flatten(1).sum(-1) for g, x in zip(gradients, components(v), strict=True))
    a = combine(torch.Tensor.detach, a)
    expected = -case.manifold.inner_product(case.manifold.log(b, a), v, a)
    scale = case.manifold.dist(a, b) * case.manifold.norm(v, a)
    assert ((slope - expected).abs() <= case.closing * scale).all()


@every_manifold
@pytest.mark.parametrize("method", ["dist", "squared_dist"])
def test_the_gradient_at_coincident_points_is_zero(case: Case, method: str) -> None:
    a = combine(lambda x: x.clone().requires_grad_(), case.points(0, COUNT))
    b = combine(lambda x: x.detach().clone().requires_grad_(), a)
    both = (*components(a), *components(b))
    for gradient in torch.autograd.grad(getattr(case.manifold, method)(a, b).sum(), both):
        assert torch.equal(gradient, torch.zeros_like(gradient))
    base = case.points(1, COUNT)
    zero = combine(lambda x: torch.zeros_like(x).requires_grad_(), base)
    for gradient in torch.autograd.grad(case.manifold.norm(zero, base).sum(), components(zero)):
        assert torch.equal(gradient, torch.zeros_like(gradient))
