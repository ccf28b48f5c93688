"""The product of half-planes: against its factors, under every transform, and on bad input."""

import math

import pytest
import torch
from strategies import gaussian, generator
from torch import Tensor
from torch.distributions import Independent, MultivariateNormal, Normal

from geolatent.manifolds import DiagonalGaussian, DiagonalGaussians, Gaussian, UnivariateGaussians

MANIFOLD = DiagonalGaussians(3)
POINTS = ["random", "near", "coincident", "equal means", "equal scales", "far"]


def inputs(kind: str, n: int = 3) -> Tensor:
    """Two points as a (4, n) tensor: mean and log scale, mean and log scale."""
    x = gaussian(POINTS.index(kind), 4, n)
    if kind in ("near", "coincident"):
        x[2:] = x[:2] + (1e-6 * x[2:] if kind == "near" else 0)
    if kind == "equal means":
        x[2] = x[0]
    if kind == "equal scales":
        x[3] = x[1]
    if kind == "far":
        x[2] = x[0] + 1e3 * x[2]
    return x


def pair(x: Tensor) -> tuple[DiagonalGaussian, DiagonalGaussian]:
    return DiagonalGaussian(x[0], x[1].exp()), DiagonalGaussian(x[2], x[3].exp())


def squared_dist(x: Tensor) -> Tensor:
    return MANIFOLD.squared_dist(*pair(x))


def dist(x: Tensor) -> Tensor:
    return MANIFOLD.dist(*pair(x))


def maps(x: Tensor) -> Tensor:
    """Logarithm, geodesic and transport of two points, in units of the scale, so that all have like sizes."""
    a, b = pair(x)
    velocity = MANIFOLD.log(b, a)
    middle = MANIFOLD.geodesic(a, b)(0.4)
    moved = MANIFOLD.parallel_transport(DiagonalGaussian(a.scale, 2 * a.scale), a, b)
    parts = [velocity.loc / a.scale, velocity.scale / a.scale, (middle.loc - a.loc) / middle.scale]
    return torch.stack([*parts, middle.scale.log(), moved.loc / b.scale, moved.scale / b.scale])


def exponential(x: Tensor) -> Tensor:
    a = DiagonalGaussian(x[0], x[1].exp())
    end = MANIFOLD.exp(DiagonalGaussian(x[2], x[3]), a)
    return torch.stack([(end.loc - a.loc) / end.scale, end.scale.log()])


def test_squares_of_the_factors_add_up() -> None:
    a, b = (MANIFOLD.random_point((7,), generator(seed)) for seed in range(2))
    factors = [
        UnivariateGaussians().squared_dist(*(DiagonalGaussian(p.loc[:, i, None], p.scale[:, i, None]) for p in (a, b)))
        for i in range(3)
    ]
    assert torch.allclose(MANIFOLD.squared_dist(a, b), sum(factors), rtol=1e-14)


@pytest.mark.parametrize("kind", POINTS)
@pytest.mark.parametrize("function", [squared_dist, dist, maps], ids=lambda f: f.__name__)
def test_derivatives_of_first_and_second_order(function, kind: str) -> None:
    x = inputs(kind).requires_grad_()
    near = kind == "coincident" or (kind == "near" and function is dist)
    if function is dist and near:  # not differentiable, or steeper than finite differences see
        assert torch.autograd.grad(dist(x), x)[0].isfinite().all()
        assert torch.func.hessian(dist)(x.detach()).isfinite().all()
        return
    assert torch.autograd.gradcheck(function, x, rtol=1e-5, atol=1e-6)
    assert torch.autograd.gradgradcheck(function, x, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("case", ["zero", "small", "up", "steep", "down", "flat", "unit"])
def test_derivatives_of_the_exponential_map(case: str) -> None:
    x = gaussian(0, 4, 3)
    velocities = {"zero": (0, 0), "small": (1e-7, 1e-7), "up": (0, 4), "steep": (1e-3, 5), "down": (0, -4)}
    velocities |= {"flat": (3, 0), "unit": (0.5**0.5, 0.5)}
    horizontal, vertical = velocities[case]
    x[2:] = torch.tensor([[horizontal], [vertical]]) * x[1].exp()
    x.requires_grad_()
    assert torch.autograd.gradcheck(exponential, x, rtol=1e-4, atol=1e-5)
    assert torch.autograd.gradgradcheck(exponential, x, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", POINTS)
def test_third_derivatives_are_finite(kind: str) -> None:
    third = torch.func.jacfwd(torch.func.hessian(squared_dist))(inputs(kind, 1).expand(4, 3).contiguous())
    assert third.isfinite().all()


def test_the_hessian_at_coincident_points_is_the_metric() -> None:
    x = inputs("coincident")
    metric = torch.diag(torch.cat([2 / x[3].exp().square(), torch.full((3,), 4.0, dtype=torch.float64)]))
    hessian = torch.func.hessian(squared_dist)(x).reshape(12, 12)[6:, 6:]
    assert torch.allclose(hessian, metric, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("function", [squared_dist, dist, maps, exponential], ids=lambda f: f.__name__)
def test_every_transform_of_torch(function) -> None:
    kinds = [kind for kind in POINTS if kind != "far" or function is not exponential]  # exp(1000) is infinite
    batch = torch.stack([inputs(kind) for kind in kinds])
    single = torch.stack([function(x) for x in batch])
    assert torch.allclose(torch.func.vmap(function)(batch), single, rtol=1e-13)
    x, v = batch[0].requires_grad_(), gaussian(9, 4, 3)
    expected = torch.autograd.functional.jacobian(function, x)
    for jacobian in (torch.func.jacrev, torch.func.jacfwd):
        assert torch.allclose(jacobian(function)(x), expected, rtol=1e-12, atol=1e-14)
    _, tangent = torch.func.jvp(function, (x,), (v,))
    assert torch.allclose(tangent, (expected * v).sum((-1, -2)), rtol=1e-12, atol=1e-14)
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(x.detach(), v)
        assert torch.allclose(torch.autograd.forward_ad.unpack_dual(function(dual)).tangent, tangent, rtol=1e-13)
    per_sample = torch.func.vmap(torch.func.grad(lambda y: function(y).sum()))(batch)
    assert per_sample.isfinite().all()


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
@pytest.mark.parametrize("function", [squared_dist, dist, maps, exponential], ids=lambda f: f.__name__)
def test_compiles_in_one_graph(function, backend: str) -> None:
    x = inputs("random").requires_grad_()
    torch.compiler.reset()
    compiled = torch.compile(function, fullgraph=True, backend=backend)
    assert torch.allclose(compiled(x), function(x), rtol=1e-13)
    ours, theirs = (torch.autograd.grad(f(x).sum(), x)[0] for f in (compiled, function))
    assert torch.allclose(ours, theirs, rtol=1e-12, atol=1e-14)


def test_pairwise_under_transforms() -> None:
    sets = gaussian(0, 5, 2, 4, 3)

    def table(x: Tensor) -> Tensor:
        return MANIFOLD.pairwise_dist(DiagonalGaussian(x[0], x[1].exp()))

    assert torch.allclose(torch.func.vmap(table)(sets), torch.stack([table(x) for x in sets]), rtol=1e-13)
    assert torch.allclose(torch.compile(table, fullgraph=True, backend="eager")(sets[0]), table(sets[0]), rtol=1e-13)
    assert torch.func.jacfwd(table)(sets[0]).isfinite().all()


def test_distributions_stand_for_points() -> None:
    a, b = MANIFOLD.random_point((2, 5), generator(0))
    points = [DiagonalGaussian(a[i], b[i]) for i in range(2)]
    expected = MANIFOLD.dist(*points)
    normals = [Normal(*p) for p in points]
    assert torch.equal(MANIFOLD.dist(*normals), expected)
    assert torch.equal(MANIFOLD.dist(Independent(normals[0], 1), points[1]), expected)
    assert MANIFOLD.pairwise_dist(normals[0]).shape == (5, 5)
    assert MANIFOLD.belongs(normals[0]).all()


def test_parameters_may_have_different_batch_shapes() -> None:
    loc, scale = gaussian(0, 5, 3), gaussian(1, 3).exp()
    shared, full = DiagonalGaussian(loc, scale), DiagonalGaussian(loc, scale.expand(5, 3))
    assert torch.equal(MANIFOLD.pairwise_dist(shared), MANIFOLD.pairwise_dist(full))
    assert MANIFOLD.exp(shared, shared).loc.shape == (5, 3)


def test_belongs_tells_point_by_point() -> None:
    loc, scale = torch.zeros(6, 3), torch.ones(6, 3)
    loc[1, 0], loc[2, 1] = math.nan, math.inf
    scale[3, 2], scale[4, 1], scale[5, 0] = 0, -1, math.nan
    assert MANIFOLD.belongs(DiagonalGaussian(loc, scale)).tolist() == [True, *[False] * 5]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0.0, r"point_b\.scale must be positive and finite; point 4 of 7 has 0\.0 at coordinate 2: it holds standard"),
        (-1.5, r"point_b\.scale must be positive and finite; point 4 of 7 has -1\.5 at coordinate 2"),
        (math.nan, r"point_b\.scale must be positive and finite; point 4 of 7 has nan at coordinate 2"),
        (math.inf, r"point_b\.scale must be positive and finite; point 4 of 7 has inf at coordinate 2"),
    ],
)
def test_bad_scales_are_named(value: float, message: str) -> None:
    good, bad = (MANIFOLD.random_point((7,), generator(seed)) for seed in range(2))
    bad.scale[4, 2] = value
    with pytest.raises(ValueError, match=message):
        MANIFOLD.dist(good, bad)
    lone = DiagonalGaussian(bad.loc[4], bad.scale[4])
    with pytest.raises(ValueError, match="the point has"):
        MANIFOLD.dist(good, lone)


def test_bad_input_is_named() -> None:
    good, loc = MANIFOLD.random_point((2, 4), generator(0)), torch.zeros(2, 4, 3, dtype=torch.float64)
    loc[1, 2, 0] = -math.inf
    with pytest.raises(
        ValueError, match=r"point_a\.loc must be finite; point \(1, 2\) of a batch .* holds -inf: drop it"
    ):
        MANIFOLD.dist(DiagonalGaussian(loc, good.scale), good)
    with pytest.raises(
        ValueError, match=r"point_a must have loc and scale of shape \(\.\.\., 3\); got \(2,\) and \(2,\): "
    ):
        MANIFOLD.dist(DiagonalGaussian(torch.zeros(2), torch.ones(2)), good)
    with pytest.raises(
        ValueError, match=r"base_point must have loc and scale of shape \(\.\.\., 3\); got \(3,\) and \(\)"
    ):
        MANIFOLD.log(good, DiagonalGaussian(torch.zeros(3), torch.ones(())))
    with pytest.raises(TypeError, match=r"point_a must be a DiagonalGaussian, .*; got Gaussian: wrap"):
        MANIFOLD.dist(Gaussian(torch.zeros(3), torch.eye(3)), good)
    with pytest.raises(TypeError, match=r"point_a: distribution must be Normal .*; got MultivariateNormal: "):
        MANIFOLD.dist(MultivariateNormal(torch.zeros(3), torch.eye(3)), good)
    with pytest.raises(TypeError, match=r"point_a\.scale must be a torch\.Tensor; got float"):
        MANIFOLD.dist(DiagonalGaussian(torch.zeros(3), 1.0), good)
    with pytest.raises(ValueError, match=r"must be on one device; got point_a on meta, point_b on cpu"):
        MANIFOLD.dist(DiagonalGaussian(*torch.ones(2, 3, device="meta")), good)
    for n in (0, -1, 2.0, True):
        with pytest.raises(ValueError, match="n must be a positive integer; got"):
            DiagonalGaussians(n)  # type: ignore[arg-type]


def test_names_itself() -> None:
    assert repr(MANIFOLD) == "DiagonalGaussians(3)"
    assert repr(UnivariateGaussians()) == "UnivariateGaussians()"
