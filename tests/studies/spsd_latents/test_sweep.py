import pytest
import torch
from torch import nn

from geolatent.models import ConvAutoencoder, ConvVAE, DenoisingAutoencoder
from geolatent.studies.spsd_latents.configuration import configure
from geolatent.studies.spsd_latents.measurement import ANGLES
from geolatent.studies.spsd_latents.sweep import _full_ranks, _kept_file, _measure_codes, _model


class Rearranged(nn.Module):
    """An autoencoder that loses nothing: 28 x 28 pixels are 16 channels of 7 x 7."""

    def encode(self, x):
        return nn.functional.pixel_unshuffle(x, 4)

    def sample(self, x, generator):
        return self.encode(x) + torch.randn((len(x), 16, 7, 7), generator=generator)

    def decode(self, z):
        return nn.functional.pixel_shuffle(z, 4)


def test_codes_of_the_papers_shape_have_its_greatest_ranks():
    assert _full_ranks(torch.zeros(2, 128, 7, 7)).tolist() == [7, 7, 48]
    assert _full_ranks(torch.zeros(2, 16, 7, 7)).tolist() == [7, 7, 16]


def test_models_are_the_three_of_the_paper():
    configuration = configure("smoke")
    plain, denoising, variational = (_model(configuration, kind, 0) for kind in ("CAE", "DAE", "VAE"))
    assert type(plain) is ConvAutoencoder
    assert type(denoising) is DenoisingAutoencoder
    assert denoising.noise_scale == configuration.noise_scale
    assert type(variational) is ConvVAE
    assert plain.latent_shape == variational.latent_shape == (8, 7, 7)


def test_reconstructions_are_compared_with_the_clean_image():
    values = _measure_codes(configure("smoke"), Rearranged(), "CAE", 0)
    assert values["psnr"][0].isinf().all()
    torch.testing.assert_close(values["psnr"][2].mean(), torch.tensor(20.0).double(), rtol=0, atol=0.1)
    torch.testing.assert_close(values["psnr"][1] - values["psnr"][2], torch.full((20,), 6.0206).double())
    assert float(values["error"]) == 0
    torch.testing.assert_close(values["reconstructions"], values["inputs"])


def test_sampled_codes_are_one_draw_at_all_levels_and_a_second_one():
    values = _measure_codes(configure("smoke"), Rearranged(), "VAE (sampled)", 0)
    torch.testing.assert_close(values["psnr"].mean(), torch.tensor(0.0).double(), rtol=0, atol=0.2)
    assert values["log-projection/dimension"].shape == values["product/negative mass"].shape == (3,)
    for kind in ANGLES:
        angles = values[f"{kind}/angles"]
        assert angles.shape == (3, 3)
        assert float(angles[0].max()) < 1e-5
        assert float(values[f"{kind}/angles of two draws"].max()) > 0.1


@pytest.mark.parametrize("change", [{"noise": (0.0, 0.2)}, {"cross_rank": "schubert"}, {"seed": 1}, {"epochs": 3}])
def test_a_measurement_is_named_by_what_it_depends_on(tmp_path, change):
    before = _kept_file(tmp_path, configure("smoke"), "CAE", 0)
    assert _kept_file(tmp_path, configure("smoke", **change), "CAE", 0) != before
    assert _kept_file(tmp_path, configure("smoke", noise_scale=0.5, repeats=3), "CAE", 0) == before
