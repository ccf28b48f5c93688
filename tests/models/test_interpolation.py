import math

import pytest
import torch
from gaussian_pairs import random_pair
from torch import Tensor, nn
from torch.distributions import Independent, MultivariateNormal, Normal

from geolatent.manifolds import DiagonalGaussian, DiagonalGaussians, Gaussian, MultivariateGaussians
from geolatent.models import interpolate_posteriors

A = DiagonalGaussian(torch.tensor([[-1.0, 0.0], [2.0, 1.0]]), torch.tensor([[0.1, 0.2], [1.0, 0.5]]))
B = DiagonalGaussian(torch.tensor([1.0, 0.5]), torch.tensor([0.1, 0.4]))


def test_the_path_has_its_ends_and_constant_speed() -> None:
    path = interpolate_posteriors(A, B, steps=5)
    assert path.images is None
    assert path.t.tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert path.posterior.loc.shape == path.posterior.scale.shape == (5, 2, 2)
    torch.testing.assert_close(path.posterior.loc[0], A.loc)
    torch.testing.assert_close(path.posterior.scale[-1], B.scale.expand(2, 2))
    manifold = DiagonalGaussians(2)
    step = manifold.dist(*(DiagonalGaussian(*(x[part] for x in path.posterior)) for part in (slice(0, 4), slice(1, 5))))
    torch.testing.assert_close(step, (manifold.dist(A, B) / 4).expand(4, 2), rtol=1e-5, atol=0)


def test_the_path_between_separated_posteriors_widens() -> None:
    a, b = (DiagonalGaussian(torch.tensor([x]).double(), torch.tensor([0.1]).double()) for x in (-1.0, 1.0))
    middle = interpolate_posteriors(a, b, steps=3).posterior
    assert middle.scale[1].item() == pytest.approx(math.hypot(1 / math.sqrt(2), 0.1), rel=1e-6)


@pytest.mark.parametrize("wrap", [lambda p: Normal(*p), lambda p: Independent(Normal(*p), 1)])
def test_distributions_of_torch(wrap) -> None:
    path, expected = interpolate_posteriors(wrap(A), wrap(B)), interpolate_posteriors(A, B)
    assert torch.equal(path.posterior.loc, expected.posterior.loc)
    assert torch.equal(path.posterior.scale, expected.posterior.scale)


def test_full_covariances_and_another_manifold() -> None:
    a, b = random_pair(0, 3)
    path = interpolate_posteriors(a, MultivariateNormal(*b), steps=3)
    assert isinstance(path.posterior, Gaussian)
    assert path.posterior.covariance_matrix.shape == (3, 3, 3)
    assert MultivariateGaussians(3).dist(a, Gaussian(*(x[1] for x in path.posterior))) > 0

    class Straight(DiagonalGaussians):
        def _geodesic(self, initial_point, end_point):
            lerp = lambda a, b, t: torch.lerp(a, b, t[..., None])  # noqa: E731
            return lambda t: DiagonalGaussian(*(lerp(a, b, t) for a, b in zip(initial_point, end_point, strict=True)))

    straight = interpolate_posteriors(A, B, steps=3, manifold=Straight(2)).posterior
    torch.testing.assert_close(straight.scale[1], (A.scale + B.scale) / 2)


class Decoder(nn.Module):
    """Counts its calls and says what it saw."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.calls = nn.Linear(2, 12), []

    def forward(self, codes: Tensor) -> Tensor:
        self.calls.append((tuple(codes.shape), torch.is_grad_enabled(), self.training))
        return self.linear(codes).unflatten(-1, (3, 4))


@pytest.mark.parametrize("training", [True, False])
def test_images_are_decoded_from_the_means_at_once(training: bool) -> None:
    decoder = Decoder().train(training)
    path = interpolate_posteriors(A, B, decoder, steps=4)
    assert path.images.shape == (4, 2, 3, 4)
    assert decoder.calls == [((8, 2), False, training)]
    assert decoder.training is training
    assert not path.images.requires_grad
    torch.testing.assert_close(path.images[2, 1], decoder(path.posterior.loc[2, 1]).detach())
    single = DiagonalGaussian(*(x[0] for x in A))
    assert interpolate_posteriors(single, B, decoder, steps=4).images.shape == (4, 3, 4)


def test_the_path_itself_can_be_differentiated() -> None:
    loc = A.loc.clone().requires_grad_()
    path = interpolate_posteriors(A._replace(loc=loc), B, Decoder(), steps=3)
    assert torch.autograd.grad(path.posterior.scale.sum(), loc)[0].isfinite().all()


def test_errors_name_what_came() -> None:
    for steps in (1, 2.5, True):
        with pytest.raises(ValueError, match=r"steps must be an integer of at least 2; got"):
            interpolate_posteriors(A, B, steps=steps)
    with pytest.raises(TypeError, match=r"posterior_b must be a DiagonalGaussian, a Gaussian.*got tuple"):
        interpolate_posteriors(A, (A.loc, A.scale))
    with pytest.raises(
        TypeError, match="posterior_a and posterior_b must be of one family; got DiagonalGaussian and Gaussian"
    ):
        interpolate_posteriors(A, Gaussian(torch.zeros(2), torch.eye(2)))
    with pytest.raises(ValueError, match="positive"):
        interpolate_posteriors(A, B._replace(scale=-B.scale))
    with pytest.raises(ValueError, match=r"posterior_a must have loc of shape \(\.\.\., n\); got shape \(\)"):
        interpolate_posteriors(DiagonalGaussian(torch.tensor(0.0), torch.tensor(1.0)), B)
