"""What all metrics of positive definite matrices refuse, by name and batch index."""

import math

import pytest
import torch

from geolatent.manifolds import AffineInvariantSPD, BuresWassersteinSPD, LogCholeskySPD, LogEuclideanSPD
from geolatent.manifolds.positive_definite import PositiveDefinite


@pytest.mark.parametrize(
    "manifold_of", [AffineInvariantSPD, LogEuclideanSPD, BuresWassersteinSPD, LogCholeskySPD], ids=lambda f: f.__name__
)
def test_bad_matrices_are_named(manifold_of: type[PositiveDefinite]) -> None:
    manifold = manifold_of(2)
    good = torch.eye(2, dtype=torch.float64).expand(5, 2, 2)
    for entries, message in [
        ([[1.0, 2.0], [2.0, 1.0]], r"point_b must be positive definite; matrix 3 of 5 has smallest eigenvalue -1: add"),
        (
            [[1.0, 0.5], [0.4, 1.0]],
            r"point_b must be symmetric; matrix 3 of 5 .* by 0\.1: use \(point_b \+ point_b\.mT",
        ),
        ([[1.0, math.nan], [math.nan, 1.0]], r"point_b must be finite; point 3 of 5 holds nan"),
        ([[1.0, 0.0], [0.0, 1e-17]], r"point_b must have condition at most 1e\+16; matrix 3 of 5"),
    ]:
        bad = good.clone()
        bad[3] = torch.tensor(entries, dtype=torch.float64)
        with pytest.raises(ValueError, match=message):
            manifold.dist(good, bad)
        assert manifold.belongs(bad).tolist() == [True, True, True, False, True]
    with pytest.raises(ValueError, match=r"point_a must have shape \(\.\.\., 2, 2\); got \(3, 3\): use \w+\(p\)"):
        manifold.dist(torch.eye(3), good)
    with pytest.raises(TypeError, match=r"point_a must be real floating point; got torch\.int64"):
        manifold.dist(torch.eye(2).long(), good)
    with pytest.raises(ValueError, match=r"on one device; got point_a on meta, point_b on cpu"):
        manifold.dist(torch.eye(2, device="meta"), good)
    for p in (0, 2.0, True):
        with pytest.raises(ValueError, match="p must be a positive integer; got"):
            manifold_of(p)  # type: ignore[arg-type]
    assert repr(manifold) == f"{manifold_of.__name__}(2)"
