import pytest
import scipy.stats
import torch

from geolatent.models.layers import activation_name, linear, make_activation


@pytest.mark.parametrize("bias", [True, False])
def test_linear_starts_uniform_within_the_bound_of_torch(bias):
    layer = linear(25, 4000, bias, torch.Generator().manual_seed(0))
    law = scipy.stats.uniform(-1 / 5, 2 / 5)
    assert scipy.stats.kstest(layer.weight.detach().flatten().numpy(), law.cdf).pvalue > 1e-6
    assert (layer.bias is not None) is bias
    if bias:
        assert scipy.stats.kstest(layer.bias.detach().numpy(), law.cdf).pvalue > 1e-6


@pytest.mark.parametrize("name", ["relu", "tanh", "sigmoid", "leaky_relu", "gelu", "identity"])
def test_named_activations_are_the_functions_of_torch(name):
    x = torch.linspace(-3, 3, 13)
    function = {"identity": lambda v: v}.get(name) or getattr(torch.nn.functional, name, None) or getattr(torch, name)
    assert torch.equal(make_activation(name)(x), function(x))
    assert activation_name(name) == name
    assert activation_name(type(make_activation(name))) == name


def test_other_activations_are_described():
    assert activation_name(torch.nn.LeakyReLU(0.3)) == "LeakyReLU(negative_slope=0.3)"
    assert activation_name(None) is None
