import math

import pytest
import torch
from sklearn.metrics import mean_squared_error

from geolatent.metrics import psnr, reconstruction_error


def test_is_the_mean_squared_error_of_each_sample():
    generator = torch.Generator().manual_seed(0)
    x, y = torch.rand(2, 5, 3, 4, generator=generator, dtype=torch.float64)
    expected = [mean_squared_error(a.flatten(), b.flatten()) for a, b in zip(x, y, strict=True)]
    torch.testing.assert_close(reconstruction_error(x, y), torch.tensor(expected, dtype=torch.float64))


def test_refuses_other_shapes():
    with pytest.raises(ValueError, match=r"reconstructions must have the shape of inputs, \(2, 3\); got \(2, 4\)"):
        reconstruction_error(torch.zeros(2, 3), torch.zeros(2, 4))


@pytest.mark.parametrize("data_range", [1.0, 2.0, 255.0])
def test_psnr_is_the_ratio_of_powers_in_decibels(data_range):
    generator = torch.Generator().manual_seed(0)
    x, y = data_range * torch.rand(2, 5, 3, 4, generator=generator, dtype=torch.float64)
    expected = [10 * math.log10(data_range**2 / mean_squared_error(a, b)) for a, b in zip(x, y, strict=True)]
    torch.testing.assert_close(psnr(x, y, data_range), torch.tensor(expected, dtype=torch.float64))
    torch.testing.assert_close(psnr(x / data_range, y / data_range), psnr(x, y, data_range))


def test_noise_of_a_tenth_of_the_range_is_twenty_decibels():
    noise = 0.1 * torch.randn(3, 100_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert (psnr(torch.zeros_like(noise), noise) - 20).abs().max() < 0.05
    assert psnr(noise, noise).isinf().all()


def test_psnr_follows_the_dtype_and_refuses_other_shapes_and_ranges():
    assert psnr(torch.zeros(2, 3), torch.ones(2, 3)).dtype == torch.float32
    with pytest.raises(ValueError, match="reconstructions must have the shape of inputs"):
        psnr(torch.zeros(2, 3), torch.zeros(2, 4))
    with pytest.raises(ValueError, match=r"data_range must be positive and finite; got 0"):
        psnr(torch.zeros(2, 3), torch.zeros(2, 3), 0)
