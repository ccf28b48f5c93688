import numpy as np
import pytest
import torch
from sklearn.covariance import EmpiricalCovariance

from geolatent.metrics import Mahalanobis


@pytest.fixture
def reference():
    generator = torch.Generator().manual_seed(0)
    mixing = torch.randn(4, 4, generator=generator, dtype=torch.float64)
    return torch.randn(200, 4, generator=generator, dtype=torch.float64) @ mixing + 3.0


def test_agrees_with_scikit_learn(reference):
    points = reference[:50] * 1.7
    n = len(reference)
    oracle = EmpiricalCovariance().fit(reference.numpy()).mahalanobis(points.numpy()) * (n - 1) / n
    np.testing.assert_allclose(Mahalanobis(reference)(points).square().numpy(), oracle, rtol=1e-9)


def test_mean_squared_distance_of_the_reference_is_its_dimension(reference):
    n, k = reference.shape
    assert float(Mahalanobis(reference)(reference).square().sum()) == pytest.approx(k * (n - 1), rel=1e-9)


def test_is_invariant_under_affine_maps(reference):
    generator = torch.Generator().manual_seed(1)
    change = torch.randn(4, 4, generator=generator, dtype=torch.float64)
    points = reference[:20] + 1.0
    moved = Mahalanobis(reference @ change - 7.0)(points @ change - 7.0)
    torch.testing.assert_close(moved, Mahalanobis(reference)(points), rtol=1e-6, atol=0.0)


def test_a_direction_without_spread_is_left_out(reference):
    constant = torch.cat([reference, torch.full((len(reference), 1), 2.0, dtype=torch.float64)], dim=1)
    torch.testing.assert_close(Mahalanobis(constant)(constant), Mahalanobis(reference)(reference))


def test_one_feature():
    distances = Mahalanobis(torch.tensor([[0.0], [2.0]]))(torch.tensor([[1.0], [3.0]]))
    torch.testing.assert_close(distances, torch.tensor([0.0, 2.0**0.5], dtype=torch.float64))


@pytest.mark.parametrize("bad", [torch.zeros(3), torch.zeros(1, 3)])
def test_refuses_a_reference_of_another_shape(bad):
    with pytest.raises(ValueError, match=r"reference must have shape \(n, k\)"):
        Mahalanobis(bad)


def test_refuses_nan_and_other_widths():
    with pytest.raises(ValueError, match="reference must be finite"):
        Mahalanobis(torch.tensor([[0.0], [torch.nan]]))
    with pytest.raises(ValueError, match=r"features must have shape \(m, 1\)"):
        Mahalanobis(torch.tensor([[0.0], [1.0]]))(torch.zeros(2, 2))
