import pytest
import scipy.stats
import torch
from strategies import generator
from torch import nn
from torch.nn.functional import conv2d

from geolatent.models import SCTC
from geolatent.models.layers import convolution
from geolatent.models.sctc import sctc_decoder, sctc_encoder


def test_adds_the_first_convolution_before_the_last_activation():
    block = SCTC(2, 3, "tanh", generator(0)).double()
    x = torch.randn(4, 2, 6, 5, dtype=torch.float64, generator=generator(1))
    first, second, third = [layer for layer in block.modules() if isinstance(layer, nn.Conv2d)]
    h = torch.tanh(conv2d(x, first.weight, first.bias, padding=1))
    branch = torch.tanh(conv2d(h, second.weight, second.bias, padding=1))
    expected = torch.tanh(conv2d(branch, third.weight, third.bias, padding=1) + h)
    torch.testing.assert_close(block(x), expected)


def test_encoder_and_decoder_mirror_one_another():
    encoder = sctc_encoder(1, [4, 6, 8], "relu", generator(0))
    assert [type(layer) for layer in encoder] == [SCTC, nn.MaxPool2d, SCTC, nn.MaxPool2d, SCTC]
    decoder = sctc_decoder(1, [4, 6, 8], "relu", "sigmoid", generator(0))
    assert [type(layer) for layer in decoder] == [SCTC, nn.Upsample, SCTC, nn.Upsample, SCTC, nn.Conv2d, nn.Sigmoid]
    widths = [
        [layer.out_channels for layer in net.modules() if isinstance(layer, nn.Conv2d)] for net in (encoder, decoder)
    ]
    assert widths == [[4] * 3 + [6] * 3 + [8] * 3, [8] * 3 + [6] * 3 + [4] * 3 + [1]]
    x = torch.rand(2, 1, 12, 8, generator=generator(1))
    assert encoder(x).shape == (2, 8, 3, 2)
    assert decoder(encoder(x)).shape == x.shape


@pytest.mark.parametrize("kernel_size", [1, 3, 5])
def test_a_generator_decides_the_start(kernel_size):
    one, same, other = (convolution(4, 5, kernel_size, generator(seed)) for seed in (0, 0, 1))
    assert torch.equal(one.weight, same.weight)
    assert not torch.equal(one.weight, other.weight)
    assert torch.equal(one.bias, torch.zeros(5))
    assert one(torch.zeros(1, 4, 6, 6)).shape == (1, 5, 6, 6)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        assert torch.equal(convolution(4, 5, kernel_size, None).weight, one.weight)


def test_starts_from_glorots_law():
    weight = convolution(64, 128, 3, generator(0)).weight.detach().flatten()
    bound = (6 / (9 * (64 + 128))) ** 0.5
    law = scipy.stats.uniform(-bound, 2 * bound)
    assert scipy.stats.kstest(weight[::7].numpy(), law.cdf).pvalue > 1e-3


def test_a_deep_stack_keeps_the_signal():
    """Images that differ still differ after encoder and decoder; with torch's start sixty times less."""
    encoder, decoder = (
        sctc_encoder(1, [8, 16, 32], "relu", generator(0)),
        sctc_decoder(1, [8, 16, 32], "relu", None, generator(1)),
    )
    x = torch.rand(8, 1, 28, 28, generator=generator(2))
    y = decoder(encoder(x))
    assert y.std(0).mean() > 0.01
