import json

import pytest
import torch
from strategies import generator

import geolatent as gl
from geolatent.models import ConvAutoencoder


def small(seed=0, **changes):
    return ConvAutoencoder((1, 8, 8), (6, 4), "tanh", generator=generator(seed), **changes)


def test_default_is_the_network_of_the_paper():
    model = ConvAutoencoder(generator=generator(0))
    x = torch.rand(2, 1, 28, 28, generator=generator(1))
    assert model.encode(x).shape == (2, 128, 7, 7)
    assert model.latent_shape == (128, 7, 7)
    assert model.decode(model.encode(x)).shape == x.shape
    s1, s2, s3 = gl.embeddings.tensor_to_spsd(model.encode(x).movedim(1, -1))
    assert (s1.shape, s2.shape, s3.shape) == ((2, 7, 7), (2, 7, 7), (2, 128, 128))


def test_images_come_in_three_shapes_and_go_as_they_came():
    model, x = small().double(), torch.rand(5, 1, 8, 8, generator=generator(1), dtype=torch.float64)
    expected = model.decoder(model.encoder(x))
    for shape in ((5, 1, 8, 8), (5, 8, 8), (5, 64)):
        torch.testing.assert_close(model(x.reshape(shape)), expected.reshape(shape))
        torch.testing.assert_close(model.loss(x.reshape(shape)), (expected - x).square().mean())


def test_colour_images_and_one_block():
    model = ConvAutoencoder((3, 5, 7), (4,), "tanh", None, generator=generator(0))
    assert model.latent_shape == (4, 5, 7)
    assert model(torch.rand(2, 3, 5, 7, generator=generator(0))).shape == (2, 3, 5, 7)
    with pytest.raises(ValueError, match=r"x must have shape \(N, 3, 5, 7\) or \(N, 105\); got \(2, 5, 7, 3\)"):
        model(torch.rand(2, 5, 7, 3))


def test_a_generator_decides_the_weights_and_leaves_the_global_state():
    before = torch.get_rng_state()
    one, same, other = (small(seed).state_dict() for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


def test_learns_digits_and_comes_back_from_disk(tmp_path):
    x = gl.datasets.load("digits").images[:256]
    model = small()
    history = gl.training.fit(model, x, epochs=15, batch_size=32, lr=1e-2, generator=generator(3))
    assert history.loss[-1] < (x - x.mean(0)).square().mean() / 2
    gl.training.save(model, tmp_path)
    loaded = gl.training.load(ConvAutoencoder, tmp_path)
    assert json.loads(json.dumps(loaded.config)) == model.config
    assert torch.equal(loaded(x), model(x))


def test_encoder_and_decoder_have_a_spectrum():
    model, x = small(), torch.rand(2, 1, 8, 8, generator=generator(1))
    eigenvalues = gl.jacobians.autoencoder_spectrum(model.encoder, model.decoder, x).eigenvalues
    f, g = (
        torch.autograd.functional.jacobian(net, at)
        for net, at in ((model.encoder, x[:1]), (model.decoder, model.encode(x[:1])))
    )
    product = f.reshape(64, 64) @ g.reshape(64, 64)
    expected = gl.linalg.eigvals(product)
    torch.testing.assert_close(eigenvalues[0].abs(), expected.abs().to(eigenvalues.real.dtype), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        (((1, 8, 10), (3, 4, 5)), ValueError, r"divisible by 4, .* got \(1, 8, 10\)"),
        (((8, 8), (3,)), ValueError, r"image_shape must be \(channels, height, width\); got \(8, 8\)"),
        (((1, 8, 0), (3,)), ValueError, r"image_shape\[2\] must be at least 1"),
        (((1, 8, 8), ()), TypeError, "widths must be a sequence of at least one width"),
        (((1, 8, 8), (3, 0)), ValueError, r"widths\[1\] must be at least 1"),
        (((1, 8, 8), (3, 2.5)), TypeError, r"widths\[1\] must be an integer"),
        (((1, 8, 8), (3,), "softmin"), ValueError, "an activation must be one of"),
    ],
)
def test_refuses_impossible_networks(arguments, kind, message):
    with pytest.raises(kind, match=message):
        ConvAutoencoder(*arguments)


def test_refuses_other_codes_and_images():
    with pytest.raises(ValueError, match=r"z must have shape \(N, 4, 4, 4\); got \(2, 64\)"):
        small().decode(torch.zeros(2, 64))
    with pytest.raises(ValueError, match=r"x must have shape \(N, 1, 8, 8\) or \(N, 64\) or \(N, 8, 8\); got \(8, 8\)"):
        small().encode(torch.zeros(8, 8))
