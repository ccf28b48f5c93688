import json
import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from geolatent.models import Autoencoder, MLPAutoencoder

NAMES = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "leaky_relu": nn.LeakyReLU,
    "gelu": nn.GELU,
    "identity": nn.Identity,
}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_default_is_the_network_of_the_paper():
    model = MLPAutoencoder(784, 20)
    assert [type(layer) for layer in model.encoder] == [nn.Linear, nn.ReLU] * 3 + [nn.Linear]
    assert [type(layer) for layer in model.decoder] == [nn.Linear, nn.ReLU] * 3 + [nn.Linear, nn.Tanh]
    widths = [layer.out_features for layer in [*model.encoder, *model.decoder] if isinstance(layer, nn.Linear)]
    assert widths == [128, 64, 32, 20, 32, 64, 128, 784]


@given(
    st.integers(1, 9),
    st.integers(1, 5),
    st.lists(st.integers(1, 7), max_size=3),
    st.sampled_from(sorted(NAMES)),
)
def test_any_widths_and_activations(n_features, latent_dim, hidden, activation):
    model = MLPAutoencoder(n_features, latent_dim, hidden, activation, generator=seeded())
    x = torch.rand(4, n_features, generator=seeded(1))
    assert model.encode(x).shape == (4, latent_dim)
    assert model.decode(model.encode(x)).shape == x.shape
    assert torch.equal(model(x), model.decoder(model.encoder(x)))
    assert sum(isinstance(layer, NAMES[activation]) for layer in model.encoder) == len(hidden)
    assert [layer.in_features for layer in model.decoder if isinstance(layer, nn.Linear)] == [
        latent_dim,
        *hidden[::-1],
    ]


def test_matches_the_formula():
    model = MLPAutoencoder(6, 2, (4,), "sigmoid", output_activation="identity", latent_activation="tanh").double()
    x = torch.rand(5, 6, dtype=torch.float64, generator=seeded())
    first, second = model.encoder[0], model.encoder[2]
    z = torch.tanh(torch.sigmoid(x @ first.weight.T + first.bias) @ second.weight.T + second.bias)
    first, second = model.decoder[0], model.decoder[2]
    y = torch.sigmoid(z @ first.weight.T + first.bias) @ second.weight.T + second.bias
    torch.testing.assert_close(model.encode(x), z)
    torch.testing.assert_close(model(x), y)
    torch.testing.assert_close(model.loss(x), ((x - y) ** 2).mean())


def test_images_are_flattened_on_the_way_in():
    model = MLPAutoencoder(12, 3, (5,))
    images = torch.rand(4, 1, 3, 4, generator=seeded())
    assert torch.equal(model.encode(images), model.encode(images.reshape(4, 12)))
    assert model(images).shape == (4, 12)
    assert torch.equal(model.loss(images), model.loss(images.reshape(4, 12)))


@pytest.mark.parametrize("activation", [nn.SiLU, lambda: nn.SiLU(), nn.SiLU(), lambda: nn.Sequential(nn.SiLU())])
def test_activation_as_class_factory_or_module(activation):
    model = MLPAutoencoder(6, 2, (5, 4), activation, None, generator=seeded())
    named = MLPAutoencoder(6, 2, (5, 4), nn.SiLU, None, generator=seeded())
    x = torch.rand(3, 6, generator=seeded())
    assert torch.equal(model(x), named(x))
    json.dumps(model.config)


def test_a_module_is_copied_for_every_layer():
    slope = nn.PReLU()
    model = MLPAutoencoder(6, 2, (5, 4), slope)
    slopes = [layer for layer in model.modules() if isinstance(layer, nn.PReLU)]
    assert len(set(map(id, [slope, *slopes]))) == 5


def test_config_rebuilds_the_model_and_fits_json():
    model = MLPAutoencoder(6, np.int64(2), (np.int64(5),), nn.GELU, None, "tanh", generator=seeded())
    config = json.loads(json.dumps(model.config))
    assert config == {
        "n_features": 6,
        "latent_dim": 2,
        "hidden": [5],
        "activation": "gelu",
        "output_activation": None,
        "latent_activation": "tanh",
    }
    assert str(MLPAutoencoder(**config)) == str(model)


def test_generator_is_the_only_source_of_the_weights():
    before = torch.get_rng_state()
    first, second, other = (MLPAutoencoder(6, 2, generator=seeded(seed)) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    for name, weight in first.state_dict().items():
        assert torch.equal(weight, second.state_dict()[name])
        assert not torch.equal(weight, other.state_dict()[name])


def test_start_is_that_of_torch():
    with torch.random.fork_rng():
        torch.manual_seed(7)
        plain = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 2))
        torch.manual_seed(7)
        default = MLPAutoencoder(6, 2, (5,))
    seeded_model = MLPAutoencoder(6, 2, (5,), generator=seeded(7))
    for name, weight in plain.state_dict().items():
        assert torch.equal(default.encoder.state_dict()[name], weight)
        assert torch.equal(seeded_model.encoder.state_dict()[name], weight)


@pytest.mark.parametrize("width", [0, -1])
def test_widths_below_one_are_refused(width):
    with pytest.raises(ValueError, match=f"n_features must be at least 1; got {width}"):
        MLPAutoencoder(width, 2)
    with pytest.raises(ValueError, match=f"latent_dim must be at least 1; got {width}"):
        MLPAutoencoder(6, width)
    with pytest.raises(ValueError, match=rf"hidden\[1\] must be at least 1; got {width}"):
        MLPAutoencoder(6, 2, (5, width))


@pytest.mark.parametrize("width", [2.0, "2", None, True])
def test_widths_that_are_no_integers_are_refused(width):
    with pytest.raises(TypeError, match="latent_dim must be an integer"):
        MLPAutoencoder(6, width)


@pytest.mark.parametrize("hidden", [5, None, "55"])
def test_hidden_must_be_a_sequence(hidden):
    with pytest.raises(TypeError, match=r"hidden must be a sequence of widths; .* as \(width,\)"):
        MLPAutoencoder(6, 2, hidden)


@pytest.mark.parametrize("where", ["activation", "output_activation", "latent_activation"])
def test_unknown_activation_is_refused_with_the_choices(where):
    with pytest.raises(ValueError, match=r"must be one of relu, tanh, .*identity, .*; got 'softplus'"):
        MLPAutoencoder(6, 2, **{where: "softplus"})
    with pytest.raises(TypeError, match=r"must be a name, an nn.Module class"):
        MLPAutoencoder(6, 2, **{where: 3})


@pytest.mark.parametrize("shape", [(5,), (6,), (3, 5), (3, 2, 2), ()])
def test_wrong_input_shape_is_refused_with_both_shapes(shape):
    model = MLPAutoencoder(6, 2)
    for call in (model, model.encode, model.loss):
        with pytest.raises(ValueError, match=rf"x must have shape \(N, 6\).*got {re.escape(str(shape))}"):
            call(torch.zeros(shape))


@pytest.mark.parametrize("shape", [(2,), (3, 6), (3, 1, 2)])
def test_wrong_code_shape_is_refused_with_both_shapes(shape):
    with pytest.raises(ValueError, match=rf"z must have shape \(N, 2\).*got {re.escape(str(shape))}"):
        MLPAutoencoder(6, 2).decode(torch.zeros(shape))


def test_functional_transforms_reach_through():
    model = MLPAutoencoder(6, 2, (5,), "tanh", generator=seeded()).double()
    x = torch.rand(3, 6, dtype=torch.float64, generator=seeded())
    jacobians = torch.func.vmap(torch.func.jacrev(lambda row: model.encode(row[None])[0]))(x)
    for row, jacobian in zip(x, jacobians, strict=True):
        expected = torch.autograd.functional.jacobian(lambda v: model.encode(v[None])[0], row)
        torch.testing.assert_close(jacobian, expected)


def test_own_networks_fit_the_base_class():
    model = Autoencoder(nn.Linear(6, 2), nn.Linear(2, 6), {"n_features": 6, "latent_dim": 2})
    assert model(torch.zeros(3, 2, 3)).shape == (3, 6)
