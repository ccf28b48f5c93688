"""Subspaces against known angles, closed forms and SciPy; unequal dimensions; bad bases."""

import math

import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from manifold_cases import assert_close
from strategies import gaussian, generator, seeds
from torch import Tensor

from geolatent.manifolds import Grassmannian

MANIFOLD = Grassmannian(6, 3)


def with_angles(angles: list[float], p: int = 6, turn: bool = True) -> tuple[Tensor, Tensor]:
    """Bases in general position whose subspaces have these principal angles."""
    k, theta = len(angles), torch.tensor(angles, dtype=torch.float64)
    frame = torch.linalg.qr(gaussian(0, p, p)).Q
    a, b = frame[:, :k], frame[:, :k] * theta.cos() + frame[:, k : 2 * k] * theta.sin()
    first, second = (torch.linalg.qr(gaussian(seed, k, k)).Q for seed in (1, 2))
    return (a @ first, b @ second) if turn else (a, b)


@pytest.mark.parametrize("turn", [False, True])
@pytest.mark.parametrize(
    "angles",
    [
        [1e-12, 1e-12, 1e-12],
        [1e-8, 3e-8, 1e-9],
        [0.0, 1e-6, 1.0],
        [0.3, 0.3, 0.3],
        [0.1, 0.7, 1.5],
        [1e-9, 0.5, math.pi / 2],
    ],
)
def test_known_angles(angles: list[float], turn: bool) -> None:
    a, b = with_angles(angles, turn=turn)
    expected = math.hypot(*angles)
    tolerance = 20 * 6 * 3 * torch.finfo(torch.float64).eps
    assert abs(MANIFOLD.dist(a, b).item() - expected) <= tolerance
    assert abs(MANIFOLD.dist(a, b).item() - expected) <= 1e-12
    assert abs(MANIFOLD.pairwise_dist(a[None], b[None]).item() - expected) <= tolerance
    assert abs(MANIFOLD.chordal_dist(a, b).item() - math.hypot(*map(math.sin, angles))) <= tolerance
    assert abs(MANIFOLD.procrustes_dist(a, b).item() - 2 * math.hypot(*(math.sin(x / 2) for x in angles))) <= tolerance


def test_chordal_and_procrustes_distances_by_their_definitions() -> None:
    a, b = MANIFOLD.random_point((2, 20), generator(0))
    chordal = torch.linalg.matrix_norm(a @ a.mT - b @ b.mT) / 2**0.5
    assert_close(MANIFOLD.chordal_dist(a, b), chordal, 1e-14)
    nearest = [scipy.linalg.orthogonal_procrustes(y.numpy(), x.numpy())[0] for x, y in zip(a, b, strict=True)]
    procrustes = torch.stack([(x - y @ torch.from_numpy(q)).norm() for x, y, q in zip(a, b, nearest, strict=True)])
    assert_close(MANIFOLD.procrustes_dist(a, b), procrustes, 1e-13)
    for method in (MANIFOLD.chordal_dist, MANIFOLD.procrustes_dist):
        x = a.clone().requires_grad_()
        gradient = torch.autograd.grad(method(x, a).sum(), x)[0]
        assert torch.equal(gradient, torch.zeros_like(a))
        gradient = torch.autograd.grad(method(x, b).sum(), x)[0]
        assert_close(a.mT @ gradient, torch.zeros(20, 3, 3, dtype=a.dtype), 1e-13)


@settings(max_examples=20)
@given(seeds, st.integers(1, 6), st.integers(1, 6))
def test_unequal_dimensions(seed: int, k: int, l: int) -> None:  # noqa: E741
    a, b = (Grassmannian(6, n).random_point((4,), generator(seed + n)) for n in (k, l))
    angles = [scipy.linalg.subspace_angles(x.numpy(), y.numpy()) for x, y in zip(a, b, strict=True)]
    angles = torch.stack([torch.from_numpy(x) for x in angles])
    missing, manifold = abs(k - l), Grassmannian(6, k)
    expected = (angles.square().sum(-1) + missing * (math.pi / 2) ** 2).sqrt()
    assert_close(manifold.dist(a, b), expected, 1e-12)
    assert_close(manifold.pairwise_dist(a, b).diagonal(), expected, 1e-12)
    assert_close(manifold.dist(b, a), expected, 1e-12)
    assert_close(manifold.chordal_dist(a, b), (angles.sin().square().sum(-1) + missing).sqrt(), 1e-12)
    halves = 4 * (angles / 2).sin().square().sum(-1)
    assert_close(manifold.procrustes_dist(a, b), (halves + 2 * missing).sqrt(), 1e-12)


@settings(max_examples=20)
@given(seeds, st.tuples(*[st.integers(1, 5)] * 3))
def test_subspaces_of_all_dimensions_are_one_metric_space(seed: int, dimensions: tuple[int, int, int]) -> None:
    a, b, c = (Grassmannian(5, n).random_point((8,), generator(seed + i)) for i, n in enumerate(dimensions))
    for method in ("dist", "chordal_dist", "procrustes_dist"):
        dist = getattr(Grassmannian(5, 1), method)
        assert (dist(a, c) <= dist(a, b) + dist(b, c) + 1e-12).all()


def test_unequal_dimensions_can_be_differentiated() -> None:
    a, b = Grassmannian(5, 2).random_point((), generator(0)), Grassmannian(5, 3).random_point((), generator(1))
    x = gaussian(2, 5, 2)
    x = x - a @ (a.mT @ x)

    def along(t: Tensor) -> Tensor:
        return Grassmannian(5, 2).dist(Grassmannian(5, 2).exp(t * x, a), b)

    assert torch.autograd.gradcheck(along, torch.zeros((), dtype=a.dtype, requires_grad=True))


def test_geodesics_and_transport_by_singular_values() -> None:
    """Edelman, Arias and Smith, theorems 2.3 and 2.4."""
    a, h, w = gaussian(0, 6, 3), gaussian(1, 6, 3), gaussian(2, 6, 3)
    a = torch.linalg.qr(a).Q
    h, w = (x - a @ (a.mT @ x) for x in (h, w))
    h = h / torch.linalg.matrix_norm(h, 2)
    u, s, v = torch.linalg.svd(h, full_matrices=False)
    end = a @ v.mT @ s.cos().diag() + u @ s.sin().diag()
    point = MANIFOLD.exp(h, a)
    assert_close(point, end @ v, 1e-14)
    moved = (-a @ v.mT @ s.sin().diag() + u @ s.cos().diag()) @ u.mT @ w + w - u @ (u.mT @ w)
    assert_close(MANIFOLD.parallel_transport(w, a, point), moved, 1e-13)


def test_bases_stay_orthonormal_over_many_steps() -> None:
    point, end = MANIFOLD.random_point((2,), generator(0))
    for _ in range(300):
        point = MANIFOLD.exp(0.1 * MANIFOLD.log(end, point), point)
    excess = point.mT @ point - torch.eye(3, dtype=torch.float64)
    assert excess.abs().max() <= 1e-15


def test_vectors_along_the_basis_count_for_nothing() -> None:
    a = MANIFOLD.random_point((), generator(0))
    h, idle = gaussian(1, 6, 3), a @ gaussian(2, 3, 3)
    assert_close(MANIFOLD.exp(h + idle, a), MANIFOLD.exp(h, a), 1e-13)
    assert_close(MANIFOLD.norm(idle, a), torch.zeros((), dtype=a.dtype), 1e-13)


def test_right_angles_have_finite_gradients() -> None:
    a, b = with_angles([0.2, math.pi / 2, math.pi / 2])
    x = a.clone().requires_grad_()
    assert torch.autograd.grad(MANIFOLD.dist(x, b), x)[0].isfinite().all()


def test_bad_bases_are_named() -> None:
    good = MANIFOLD.random_point((5,), generator(0))
    bad = good.clone()
    bad[3, 0, 0] += 0.1
    with pytest.raises(ValueError, match=r"point_b must have orthonormal columns; .* of matrix 3 of 5 .*qr\(point_b\)"):
        MANIFOLD.dist(good, bad)
    assert MANIFOLD.belongs(bad).tolist() == [True, True, True, False, True]
    cast = good.float().double()
    with pytest.raises(ValueError, match=r"use torch\.linalg\.qr\(point_b\)\.Q, after any change of dtype too"):
        MANIFOLD.dist(good, cast)
    assert (MANIFOLD.dist(good, torch.linalg.qr(cast).Q) < 1e-6).all()
    bad[3, 0, 0] = math.nan
    with pytest.raises(ValueError, match=r"point_b must be finite; matrix 3 of 5 holds nan"):
        MANIFOLD.dist(good, bad)
    assert MANIFOLD.belongs(bad).tolist() == [True, True, True, False, True]
    with pytest.raises(ValueError, match=r"point_a must have shape \(\.\.\., 6, 3\), .*; got \(5, 3\): use"):
        MANIFOLD.dist(torch.eye(5)[:, :3], good)
    with pytest.raises(ValueError, match=r"tangent_vec must have shape \(\.\.\., 6, 3\); got \(6, 2\)"):
        MANIFOLD.exp(torch.zeros(6, 2, dtype=torch.float64), good)
    other = Grassmannian(6, 2).random_point((), generator(0))
    assert not MANIFOLD.belongs(other)
    for method in (MANIFOLD.log, MANIFOLD.geodesic):
        with pytest.raises(ValueError, match=r"dimension k = 3; got a subspace of dimension 2: unequal"):
            method(good, other)
    with pytest.raises(ValueError, match="k must be at most p = 3; got 4"):
        Grassmannian(3, 4)
    assert repr(MANIFOLD) == "Grassmannian(6, 3)"
