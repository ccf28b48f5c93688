import pytest
import torch
from strategies import generator
from torch import nn

import geolatent as gl
from geolatent.models import ConvAutoencoder, ConvVAE, DenoisingAutoencoder, LinearAutoencoder, MLPAutoencoder

PLAIN = [
    MLPAutoencoder(64, 2, (8,), generator=generator(0)),
    LinearAutoencoder(64, 3, generator=generator(0)),
    ConvAutoencoder((1, 8, 8), (2, 3), "tanh", generator=generator(0)),
]
every_autoencoder = pytest.mark.parametrize("autoencoder", PLAIN, ids=lambda m: type(m).__name__)


def images(n=6, seed=1):
    return torch.rand(n, 8, 8, generator=generator(seed))


@every_autoencoder
def test_only_the_loss_differs(autoencoder):
    model, x = DenoisingAutoencoder(autoencoder, 0.2), images()
    assert model.encoder is autoencoder.encoder
    assert model.decoder is autoencoder.decoder
    assert torch.equal(model.encode(x), autoencoder.encode(x))
    assert torch.equal(model.decode(model.encode(x)), autoencoder.decode(autoencoder.encode(x)))
    assert torch.equal(model(x), autoencoder(x))
    noisy = model.corrupt(x, generator(5))
    expected = (autoencoder(noisy).reshape(x.shape) - x).square().mean()
    torch.testing.assert_close(model.loss(x, generator(5)), expected)
    assert model.loss(x, generator(5)) != autoencoder.loss(x)
    torch.testing.assert_close(DenoisingAutoencoder(autoencoder, 0.0).loss(x), autoencoder.loss(x))


def test_noise_is_gaussian_and_clipped():
    half = torch.full((40_000, 1), 0.5, dtype=torch.float64)
    free = DenoisingAutoencoder(LinearAutoencoder(1, 1), 0.3, clip=None).corrupt(half, generator(0))
    assert abs(free.std() - 0.3) < 0.005
    assert abs(free.mean() - 0.5) < 0.005
    clipped = DenoisingAutoencoder(LinearAutoencoder(1, 1), 0.3).corrupt(half, generator(0))
    assert torch.equal(clipped, free.clamp(0, 1))
    assert free.min() < 0
    narrow = DenoisingAutoencoder(LinearAutoencoder(1, 1), 0.3, clip=(-0.5, 0.5)).corrupt(half, generator(0))
    assert torch.equal(narrow, free.clamp(-0.5, 0.5))


@every_autoencoder
def test_trains_from_a_seed_and_comes_back_from_disk(tmp_path, autoencoder):
    x, losses = images(32), []
    for _ in range(2):
        model = DenoisingAutoencoder({"class": type(autoencoder).__name__, "config": autoencoder.config})
        model.load_state_dict(DenoisingAutoencoder(autoencoder).state_dict())
        losses.append(gl.training.fit(model, x, epochs=3, batch_size=8, lr=1e-2, generator=generator(3)).loss)
    assert losses[0] == losses[1]
    assert losses[0][-1] < losses[0][0]
    gl.training.save(model, tmp_path)
    loaded = gl.training.load(DenoisingAutoencoder, tmp_path)
    assert type(loaded.autoencoder) is type(autoencoder)
    assert loaded.config == model.config
    assert torch.equal(loaded(x), model(x))


def test_a_checkpoint_knows_the_noise(tmp_path):
    x = images(16)
    for noise_scale in (0.1, 0.2):
        model = DenoisingAutoencoder(MLPAutoencoder(64, 2, (4,), generator=generator(0)), noise_scale)
        arguments = {"epochs": 1, "generator": generator(1), "checkpoint": tmp_path}
        if noise_scale == 0.1:
            gl.training.fit(model, x, **arguments)
        else:
            with pytest.raises(gl.training.CheckpointError):
                gl.training.fit(model, x, **arguments)


@pytest.mark.parametrize("wrong", [nn.Linear(2, 2), ConvVAE((1, 4, 4), (2,)), None])
def test_refuses_what_is_no_deterministic_autoencoder(wrong):
    with pytest.raises(TypeError, match="autoencoder must be an Autoencoder whose loss is the mean squared error"):
        DenoisingAutoencoder(wrong)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-0.1,), "noise_scale must be finite and at least 0; got -0.1"),
        ((float("nan"),), "noise_scale must be finite"),
        ((0.1, (1.0, 0.0)), r"clip must be \(least, largest\); got \(1.0, 0.0\)"),
        ((0.1, (0.0,)), r"clip must be \(least, largest\)"),
    ],
)
def test_refuses_bad_noise(arguments, message):
    with pytest.raises(ValueError, match=message):
        DenoisingAutoencoder(LinearAutoencoder(4, 2), *arguments)


def test_refuses_descriptions_of_other_classes():
    with pytest.raises(ValueError, match=r"autoencoder must describe one of .*MLPAutoencoder.*; got 'Path'"):
        DenoisingAutoencoder({"class": "Path", "config": {}})
