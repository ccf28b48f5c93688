"""The manifolds that are handed to geomstats."""

import pytest

from geolatent.manifolds import DiagonalGaussians, Manifold, MultivariateGaussians, UnivariateGaussians


@pytest.fixture(
    params=[UnivariateGaussians(), DiagonalGaussians(3), MultivariateGaussians(2), MultivariateGaussians(3)], ids=repr
)
def manifold(request: pytest.FixtureRequest) -> Manifold:
    return request.param
