import math

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import gaussian, seeds

from geolatent.embeddings import centred_kernel, eigenspace_angles, kernel_coordinates, subspace_angles

few = settings(max_examples=20)


@given(seeds, st.integers(1, 4), st.integers(1, 4))
@few
def test_angles_are_those_of_scipy(seed, k, m):
    A, B = gaussian(seed, k, 9), gaussian(seed + 1, m, 9)
    expected = scipy.linalg.subspace_angles(A.numpy().T, B.numpy().T)[::-1].copy()
    found = subspace_angles(A, B, threshold=1.0)
    assert found.shape == (min(k, m),)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    np.testing.assert_allclose(subspace_angles(B, A, threshold=1.0), expected, atol=1e-12)


@given(seeds)
@few
def test_from_a_joint_kernel_they_are_the_formula_of_the_paper(seed):
    scale = 0.5 ** torch.arange(6.0, dtype=torch.float64)
    X = torch.cat([gaussian(seed, 8, 6) * scale, gaussian(seed + 1, 10, 6) * scale.flip(0)])
    kernel = X @ X.mT
    kernel = (kernel + kernel.mT) / 2
    bases = []
    for block, k in ((slice(0, 8), 2), (slice(8, 18), 3)):
        values, vectors = torch.linalg.eigh(kernel[block, block])
        bases.append(vectors[:, -k:] / values[-k:].sqrt())
    expected = torch.linalg.svdvals(bases[0].mT @ kernel[:8, 8:] @ bases[1]).clamp_max(1).acos()
    Y = kernel_coordinates(kernel)
    torch.testing.assert_close(subspace_angles(Y[:8], Y[8:], dimensions=(2, 3)), expected, rtol=1e-5, atol=1e-6)


def test_the_share_of_each_set_decides_its_dimension():
    A = torch.diag(torch.tensor([10.0, 1.0, 0.1], dtype=torch.float64))
    turn = torch.linalg.matrix_exp(
        torch.tensor([[0.0, -0.3, 0.0], [0.3, 0.0, 0.0], [0.0, 0.0, 0.0]], dtype=torch.float64)
    )
    B = A @ turn
    torch.testing.assert_close(subspace_angles(A, B, 0.9), torch.tensor([0.3], dtype=torch.float64))
    torch.testing.assert_close(subspace_angles(A, B, 0.999), torch.zeros(2, dtype=torch.float64), atol=1e-12, rtol=0)
    assert subspace_angles(A, B, dimensions=(1, 3)).shape == (1,)


@pytest.mark.parametrize("angle", [0.0, 1e-12, 1e-9, 1e-4, 0.7, math.pi / 2 - 1e-9])
def test_small_angles_between_coordinates_keep_their_digits(angle):
    A = torch.tensor([[2.0, 0.0, 0.0]], dtype=torch.float64)
    B = torch.tensor([[math.cos(angle), math.sin(angle), 0.0]], dtype=torch.float64)
    assert abs(subspace_angles(A, B).item() - angle) <= 1e-14


def test_moving_everything_changes_no_angle_and_one_set_does_to_itself_none():
    X, Q = gaussian(0, 12, 5), torch.linalg.qr(gaussian(1, 5, 5)).Q
    torch.testing.assert_close(subspace_angles(X[:6] @ Q, X[6:] @ Q, 0.8), subspace_angles(X[:6], X[6:], 0.8))
    kernel = centred_kernel((X[:, None] - X).square().sum(-1))
    joint = kernel_coordinates(torch.cat([torch.cat([kernel, kernel]), torch.cat([kernel, kernel])], 1))
    assert subspace_angles(joint[:12], joint[12:]).max() < 1e-7


@given(seeds)
@few
def test_eigenspaces_are_compared_over_the_samples(seed):
    X, Y = gaussian(seed, 9, 3), gaussian(seed + 1, 9, 2)
    expected = scipy.linalg.subspace_angles(X.numpy(), Y.numpy())[::-1].copy()
    found = eigenspace_angles(*((Z @ Z.mT + (Z @ Z.mT).mT) / 2 for Z in (X, Y)), threshold=1.0)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    turned = X @ torch.linalg.qr(gaussian(seed + 2, 3, 3)).Q
    kernels = ((Z @ Z.mT + (Z @ Z.mT).mT) / 2 for Z in (X, 3 * turned))
    assert eigenspace_angles(*kernels, dimensions=(3, 3)).max() < 1e-9


def test_dtypes_follow():
    A = gaussian(0, 3, 5).float()
    assert subspace_angles(A, A).dtype == torch.float32
    assert eigenspace_angles(A @ A.mT, (A @ A.mT).double(), dimensions=(1, 1)).dtype == torch.float64


@pytest.mark.parametrize(
    ("a", "b", "changes", "message"),
    [
        (torch.zeros(0, 3), torch.ones(2, 3), {}, "points_a must hold at least one point"),
        (torch.ones(2, 3), torch.zeros(2, 3), {}, "points_b must span a subspace"),
        (
            torch.ones(2, 3),
            torch.ones(2, 4),
            {},
            "points_a and points_b must have one number of coordinates; got 3 and 4",
        ),
        (torch.ones(3), torch.ones(2, 3), {}, r"points_a must have shape \(m, n\); got \(3,\)"),
        (torch.tensor([[torch.nan, 1.0]]), torch.ones(1, 2), {}, r"points_a must be finite; entry \(0, 0\) is nan"),
        (torch.ones(2, 3), torch.eye(3), {"dimensions": (2, 2)}, "got 2 for points_a of rank 1"),
        (torch.ones(2, 3), torch.eye(3), {"dimensions": (1, 0)}, "got 0 for points_b of rank 3"),
        (torch.ones(2, 3), torch.eye(3), {"threshold": 0.0}, "threshold must lie in"),
    ],
)
def test_refuses_sets_without_a_subspace(a, b, changes, message):
    with pytest.raises(ValueError, match=message):
        subspace_angles(a, b, **changes)


def test_eigenspaces_refuse_kernels_of_different_samples():
    with pytest.raises(ValueError, match=r"kernel_a and kernel_b must have one shape; got \(2, 2\) and \(3, 3\)"):
        eigenspace_angles(torch.eye(2), torch.eye(3))
    with pytest.raises(ValueError, match="kernel_b must span a subspace"):
        eigenspace_angles(torch.eye(2), torch.zeros(2, 2))
    with pytest.raises(TypeError, match="points_a must be real floating point"):
        subspace_angles(torch.ones(2, 2, dtype=torch.int64), torch.eye(2))
    for dimensions in (2, (1, 1, 1)):
        for angles in (subspace_angles, eigenspace_angles):
            with pytest.raises(TypeError, match="dimensions must be two integers, one a set; got"):
                angles(torch.eye(2), torch.eye(2), dimensions=dimensions)
