"""Derivatives and transforms on the manifolds of matrices, also at repeated eigenvalues and angles."""

from collections.abc import Callable

import pytest
import torch
from manifold_cases import assert_close
from strategies import gaussian
from torch import Tensor

from geolatent.manifolds import (
    AffineInvariantSPD,
    BuresWassersteinSPD,
    FixedRankSPSD,
    Grassmannian,
    LogCholeskySPD,
    LogEuclideanSPD,
    Manifold,
    Product,
)

P, K = 3, 2
MANIFOLDS: list[Manifold] = [
    AffineInvariantSPD(P),
    LogEuclideanSPD(P),
    LogCholeskySPD(P),
    BuresWassersteinSPD(P),
    Grassmannian(P, K),
    FixedRankSPSD(P, K),
    FixedRankSPSD(P, P),
    Product(LogCholeskySPD(P), Grassmannian(P, K)),
]
KINDS = ["random", "near", "coincident", "repeated", "equal spectra"]
every_matrix_manifold = pytest.mark.parametrize("manifold", MANIFOLDS, ids=repr)


def starts(kind: str, count: int) -> Tensor:
    """Two p x p matrices, which `point` maps onto the manifold."""
    x = gaussian(KINDS.index(kind), 2, P, P)
    if kind in ("near", "coincident"):
        x[1] = x[0] + (1e-3 * x[1] if kind == "near" else 0)
    if kind == "repeated":  # every matrix has one eigenvalue, and they are multiples of each other
        x = torch.stack([torch.eye(P, dtype=x.dtype), 2 * torch.eye(P, dtype=x.dtype)])
    if kind == "equal spectra":  # two equal eigenvalues each, in different bases
        bases = torch.linalg.qr(x).Q
        x = bases * torch.tensor([1.0, 1.0, 2.0], dtype=x.dtype)
    return x[:count]


def point(manifold: Manifold, x: Tensor) -> Tensor | tuple[Tensor, ...]:
    """A point of the manifold from any p x p matrix."""
    if isinstance(manifold, Product):
        return tuple(point(factor, x) for factor in manifold.factors)
    if isinstance(manifold, Grassmannian):
        return _columns(x)
    if isinstance(manifold, FixedRankSPSD) and manifold.rank < P:
        return x[..., :, :K] @ x[..., :, :K].mT
    return x @ x.mT


def _columns(x: Tensor) -> Tensor:
    frame = x[..., :, :K]
    return frame @ torch.linalg.inv(torch.linalg.cholesky(frame.mT @ frame)).mT


def squared_dist(manifold: Manifold) -> Callable[[Tensor], Tensor]:
    return lambda x: manifold.squared_dist(point(manifold, x[0]), point(manifold, x[1]))


def dist(manifold: Manifold) -> Callable[[Tensor], Tensor]:
    return lambda x: manifold.dist(point(manifold, x[0]), point(manifold, x[1]))


def maps(manifold: Manifold) -> Callable[[Tensor], Tensor]:
    """Logarithm and geodesic; of a point on the geodesic only what does not depend on its basis."""

    def function(x: Tensor) -> Tensor:
        a, b = point(manifold, x[0]), point(manifold, x[1])
        middle = manifold.geodesic(a, b)(0.4)
        velocity = manifold.log(b, a)
        if isinstance(manifold, Product):
            return torch.cat(
                [_flat(velocity[0]), _flat(velocity[1]), _flat(middle[0]), _flat(middle[1] @ middle[1].mT)]
            )
        if isinstance(manifold, Grassmannian):
            middle = middle @ middle.mT
        return torch.cat([_flat(velocity), _flat(middle)])

    return function


def _flat(x: Tensor) -> Tensor:
    return x.flatten(-2)


def moved(manifold: Manifold) -> Callable[[Tensor], Tensor]:
    """Exponential map and transport of a vector that moves with its base point."""

    def function(x: Tensor) -> Tensor:
        a, b = point(manifold, x[0]), point(manifold, x[1])
        vector = manifold.log(b, a)
        there = manifold.exp(vector, a)
        carried = manifold.parallel_transport(vector, a, b)
        if isinstance(manifold, Product):
            return torch.cat([_flat(there[0]), _flat(there[1] @ there[1].mT), _flat(carried[0]), _flat(carried[1])])
        if isinstance(manifold, Grassmannian):
            there = there @ there.mT
        return torch.cat([_flat(there), _flat(carried)])

    return function


@every_matrix_manifold
@pytest.mark.parametrize("kind", KINDS)
def test_derivatives_of_first_and_second_order(manifold: Manifold, kind: str) -> None:
    x = starts(kind, 2).requires_grad_()
    assert torch.autograd.gradcheck(squared_dist(manifold), x, rtol=1e-5, atol=1e-6, fast_mode=True)
    assert torch.autograd.gradgradcheck(squared_dist(manifold), x, rtol=1e-4, atol=1e-5, fast_mode=True)
    if kind not in ("coincident", "near", "repeated"):  # where subspaces coincide dist is not differentiable
        assert torch.autograd.gradcheck(dist(manifold), x, rtol=1e-5, atol=1e-6, fast_mode=True)
    assert torch.autograd.grad(dist(manifold)(x), x)[0].isfinite().all()
    assert torch.func.hessian(dist(manifold))(x.detach()).isfinite().all()


@every_matrix_manifold
@pytest.mark.parametrize("kind", KINDS)
def test_derivatives_of_the_maps(manifold: Manifold, kind: str) -> None:
    x = starts(kind, 2).requires_grad_()
    assert torch.autograd.gradcheck(maps(manifold), x, rtol=1e-5, atol=1e-6, fast_mode=True)
    assert torch.autograd.gradcheck(moved(manifold), x, rtol=1e-5, atol=1e-6, fast_mode=True)


@every_matrix_manifold
@pytest.mark.parametrize("function", [squared_dist, dist, maps, moved], ids=lambda f: f.__name__)
def test_every_transform_of_torch(manifold: Manifold, function: Callable) -> None:
    if function is moved and isinstance(manifold, BuresWassersteinSPD):
        pytest.skip("many small steps: test_bures_wasserstein_spd.py has a shorter test")
    f = function(manifold)
    batch = torch.stack([starts(kind, 2) for kind in ("random", "near", "equal spectra")])
    single = torch.stack([f(x) for x in batch])
    assert_close(torch.func.vmap(f)(batch), single, 1e-11)
    x, v = batch[0].requires_grad_(), gaussian(9, 2, P, P)
    expected = torch.autograd.functional.jacobian(f, x)
    for jacobian in (torch.func.jacrev, torch.func.jacfwd):
        assert_close(jacobian(f)(x), expected, 1e-10)
    _, tangent = torch.func.jvp(f, (x,), (v,))
    assert_close(tangent, (expected * v).sum((-1, -2, -3)), 1e-10)
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(x.detach(), v)
        assert_close(torch.autograd.forward_ad.unpack_dual(f(dual)).tangent, tangent, 1e-10)
    per_sample = torch.func.vmap(torch.func.grad(lambda y: f(y).sum()))(batch)
    assert per_sample.isfinite().all()
    assert_close(per_sample[0], torch.autograd.grad(f(x).sum(), x)[0], 1e-10)


@pytest.mark.parametrize("manifold", [m for m in MANIFOLDS if not isinstance(m, Product)], ids=repr)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own, of autograd functions in compiled graphs
def test_compiles_in_one_graph(manifold: Manifold) -> None:
    x = starts("random", 2).requires_grad_()
    torch.compiler.reset()
    compiled = torch.compile(squared_dist(manifold), fullgraph=True, backend="eager")
    assert_close(compiled(x), squared_dist(manifold)(x), 1e-12)
    ours, theirs = (torch.autograd.grad(f(x).sum(), x)[0] for f in (compiled, squared_dist(manifold)))
    assert_close(ours, theirs, 1e-11)


@every_matrix_manifold
def test_the_hessian_at_coincident_points_is_the_metric(manifold: Manifold) -> None:
    x = starts("coincident", 2)
    v = gaussian(3, P, P)
    hessian = torch.func.hessian(squared_dist(manifold))(x)
    curve = torch.func.jvp(lambda y: point(manifold, y), (x[0],), (v,))[1]
    expected = 2 * manifold.inner_product(curve, curve, point(manifold, x[0]))
    actual = torch.einsum("ab,abcd,cd", v, hessian[0, :, :, 0], v)
    assert_close(actual, expected, 1e-10)


@every_matrix_manifold
def test_pairwise_under_transforms(manifold: Manifold) -> None:
    sets = gaussian(0, 2, 4, P, P)

    def table(x: Tensor) -> Tensor:
        return manifold.pairwise_dist(point(manifold, x))

    assert_close(torch.func.vmap(table)(sets), torch.stack([table(x) for x in sets]), 1e-11)
    assert torch.func.jacfwd(table)(sets[0]).isfinite().all()
