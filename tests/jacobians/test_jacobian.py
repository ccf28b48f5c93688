import pytest
import torch
from torch import nn

from geolatent.jacobians import jacobian

# torch's own, when forward mode is first used
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def convolutional() -> nn.Module:
    """Convolutions, BatchNorm with non-trivial running statistics, Flatten and Dropout, in float64."""
    module = nn.Sequential(
        nn.Conv2d(2, 3, 3, padding=1),
        nn.BatchNorm2d(3),
        nn.Tanh(),
        nn.Flatten(),
        nn.Dropout(),
        nn.Linear(48, 5),
    ).double()
    module[1].running_mean.uniform_(-1, 1, generator=seeded(1))
    module[1].running_var.uniform_(0.5, 2, generator=seeded(2))
    return module.eval()


MODULES = {
    "linear": (lambda: nn.Linear(3, 4).double(), (3,)),
    "mlp": (lambda: nn.Sequential(nn.Linear(6, 5), nn.GELU(), nn.Linear(5, 2)).double(), (6,)),
    "convolutional": (convolutional, (2, 4, 4)),
    "transposed": (
        lambda: nn.Sequential(nn.Unflatten(1, (2, 2, 2)), nn.ConvTranspose2d(2, 1, 2)).double(),
        (8,),
    ),
    "layer norm": (lambda: nn.Sequential(nn.LayerNorm(4), nn.Linear(4, 4)).double(), (4,)),
}


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("mode", [None, "forward", "reverse"])
def test_jacobian_is_that_of_central_differences(name, mode):
    build, shape = MODULES[name]
    module = build()
    x = torch.randn(3, *shape, dtype=torch.float64, generator=seeded())
    jacobians = jacobian(module, x, mode)
    size = x[0].numel()
    step = 1e-6
    for column in range(size):
        shift = torch.zeros(size, dtype=torch.float64)
        shift[column] = step
        difference = (module(x + shift.reshape(shape)) - module(x - shift.reshape(shape))).flatten(1) / (2 * step)
        torch.testing.assert_close(jacobians[:, :, column], difference.detach(), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("name", MODULES)
def test_jacobian_is_that_of_the_samples_one_by_one(name):
    build, shape = MODULES[name]
    module = build()
    x = torch.randn(4, *shape, dtype=torch.float64, generator=seeded())
    jacobians = jacobian(module, x)
    for sample, found in zip(x, jacobians, strict=True):
        alone = torch.autograd.functional.jacobian(module, sample[None])
        torch.testing.assert_close(found, alone.reshape(found.shape))


def test_shapes_of_the_result():
    module = nn.Conv2d(2, 3, 2)
    assert jacobian(module, torch.rand(5, 2, 4, 4)).shape == (5, 27, 32)
    assert jacobian(module, torch.rand(0, 2, 4, 4)).shape == (0, 27, 32)


def test_nothing_is_recorded_unless_x_requires_grad():
    module = nn.Sequential(nn.Linear(3, 2), nn.Tanh())
    x = torch.rand(4, 3)
    assert not jacobian(module, x).requires_grad
    with torch.no_grad():
        assert not jacobian(module, x.clone().requires_grad_()).requires_grad


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_gradients_flow_to_x_and_the_parameters(mode):
    module = nn.Sequential(nn.Linear(3, 2), nn.Tanh()).double()
    x = torch.rand(2, 3, dtype=torch.float64, generator=seeded()).requires_grad_()
    jacobian(module, x, mode).square().sum().backward()
    assert module[0].weight.grad.abs().max() > 0
    assert torch.autograd.gradcheck(lambda x: jacobian(module, x, mode), x)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(dtype):
    module = nn.Sequential(nn.Linear(3, 2), nn.Tanh()).to(dtype)
    x = torch.rand(4, 3).to(dtype)
    found = jacobian(module, x)
    assert found.dtype == dtype
    assert found.equal(jacobian(module.float(), x.float()).to(dtype))


@pytest.mark.parametrize(
    "layer",
    [nn.BatchNorm1d(3), nn.Dropout(), nn.RReLU(), nn.InstanceNorm1d(3, track_running_stats=True)],
    ids=lambda layer: type(layer).__name__,
)
def test_training_mode_is_refused(layer):
    with pytest.raises(ValueError, match=r"evaluation mode.*\.eval\(\)"):
        jacobian(nn.Sequential(nn.Linear(3, 3), layer), torch.rand(4, 3))


def test_inner_dropout_is_refused_in_training_mode():
    with pytest.raises(ValueError, match="evaluation mode"):
        jacobian(nn.MultiheadAttention(4, 2, dropout=0.1), torch.rand(4, 4))


def test_training_mode_of_plain_layers_and_zero_dropout_is_welcome():
    module = nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.0))
    assert jacobian(module, torch.zeros(1, 3)).equal(module[0].weight.detach()[None])


def test_batch_statistics_are_refused():
    with pytest.raises(ValueError, match="samples interact"):
        jacobian(nn.BatchNorm1d(3, track_running_stats=False).eval(), torch.rand(4, 3))


def test_wrong_arguments_are_named():
    linear = nn.Linear(3, 2)
    with pytest.raises(TypeError, match=r"x must be real floating point; got torch.int64"):
        jacobian(linear, torch.ones(2, 3, dtype=torch.int64))
    with pytest.raises(TypeError, match=r"torch.float32; got torch.float64"):
        jacobian(linear, torch.ones(2, 3, dtype=torch.float64))
    with pytest.raises(TypeError, match=r"module must be a torch.nn.Module; got function"):
        jacobian(lambda x: x, torch.ones(2, 3))
    with pytest.raises(ValueError, match="one device"):
        jacobian(linear, torch.ones(2, 3, device="meta"))
    with pytest.raises(ValueError, match="mode must be"):
        jacobian(linear, torch.ones(2, 3), "sideways")
    with pytest.raises(ValueError, match="batch axis"):
        jacobian(linear, torch.ones(3))
