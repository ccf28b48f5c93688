import pytest
import torch
from torch import nn

from geolatent.jacobians.dense_network import dense_network


class DoubledLinear(nn.Linear):
    def forward(self, x):
        return 2 * super().forward(x)


class Residual(nn.Sequential):
    def forward(self, x):
        return x + super().forward(x)


def hooked(module: nn.Module) -> nn.Module:
    module.register_forward_hook(lambda module, inputs, output: 2 * output)
    return module


RELU = nn.ReLU()

RECOGNISED = {
    "bare layer": nn.Linear(4, 3),
    "one layer": nn.Sequential(nn.Linear(4, 3)),
    "without bias": nn.Sequential(nn.Linear(4, 3, bias=False), nn.ReLU()),
    "nested": nn.Sequential(nn.Sequential(nn.Linear(4, 3), nn.Tanh()), nn.Sequential(nn.Linear(3, 2))),
    "silent layers": nn.Sequential(nn.Flatten(), nn.Identity(), nn.Linear(4, 3), nn.Dropout(), nn.Sigmoid()).eval(),
    "one activation twice": nn.Sequential(nn.Linear(4, 3), RELU, nn.Linear(3, 2), RELU),
    "two activations": nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.ReLU(), nn.Linear(3, 2), nn.Softplus()),
    "in place": nn.Sequential(nn.Linear(4, 3), nn.ReLU(inplace=True), nn.Linear(3, 2), nn.ELU(inplace=True)),
}

OTHER = {
    "subclass": nn.Sequential(DoubledLinear(4, 3)),
    "subclass of Sequential": Residual(nn.Linear(4, 4)),
    "nested subclass of Sequential": nn.Sequential(Residual(nn.Linear(4, 4))),
    "normalisation": nn.Sequential(nn.Linear(4, 3), nn.LayerNorm(3)),
    "rows together": nn.Sequential(nn.Linear(4, 3), nn.Softmax(-1)),
    "layer with hook": nn.Sequential(hooked(nn.Linear(4, 3))),
    "bare layer with hook": hooked(nn.Linear(4, 3)),
    "hook": hooked(nn.Sequential(nn.Linear(4, 3))),
    "nested hook": nn.Sequential(hooked(nn.Sequential(nn.Linear(4, 3)))),
    "no layer": nn.Sequential(),
    "activation first": nn.Sequential(nn.ReLU(), nn.Linear(4, 3)),
    "parametrised": nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(4, 3))),
    "part flattened": nn.Sequential(nn.Flatten(0), nn.Linear(4, 3)),
}


@pytest.mark.parametrize("name", RECOGNISED)
def test_network_computes_the_module_and_its_slopes(name):
    module = RECOGNISED[name].double()
    network = dense_network(module, 1, torch.float64)
    assert network is not None
    x = torch.randn(5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    value, slopes = network(x)
    assert not value.requires_grad
    torch.testing.assert_close(value, module(x).detach())
    assert (network.in_features, network.out_features) == (4, value.shape[1])
    assert network.units == sum(layer.weight.shape[0] for layer in network.layers)
    jacobians = torch.eye(4, dtype=torch.float64).expand(5, 4, 4)
    for layer, slope in zip(network.layers, slopes, strict=True):
        assert slope is None or (slope.is_contiguous() and not slope.requires_grad)
        jacobians = layer.weight @ jacobians
        jacobians = jacobians if slope is None else slope.unsqueeze(-1) * jacobians
    for sample, jacobian in zip(x, jacobians, strict=True):
        torch.testing.assert_close(jacobian, torch.autograd.functional.jacobian(module, sample[None])[0, :, 0])


@pytest.mark.parametrize("name", OTHER)
def test_anything_else_is_left_to_torch(name):
    assert dense_network(OTHER[name], 1, torch.float32) is None


def test_images_need_a_flatten():
    linear = nn.Linear(4, 3)
    assert dense_network(nn.Sequential(linear), 2, torch.float32) is None
    assert dense_network(nn.Sequential(linear, nn.Flatten()), 2, torch.float32) is None
    assert dense_network(nn.Sequential(nn.Flatten(), linear), 2, torch.float32) is not None
