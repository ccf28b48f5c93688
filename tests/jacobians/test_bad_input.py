import pytest
import torch
from small_autoencoders import autoencoder, mlp
from torch import nn

from geolatent.jacobians import autoencoder_spectrum


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_sample_that_is_not_finite_is_named(value):
    encoder, decoder = autoencoder()
    x = torch.rand(2000, 12)
    x[1234, 5] = value
    with pytest.raises(ValueError, match="sample 1234 holds NaN or Inf"):
        autoencoder_spectrum(encoder, decoder, x)


def test_huge_samples_are_finite():
    encoder, decoder = autoencoder()
    x = torch.full((4, 12), torch.finfo(torch.float32).max)
    assert autoencoder_spectrum(encoder, decoder, x).eigenvalues.isfinite().all()


def test_modules_that_do_not_fit_are_named():
    encoder, decoder = autoencoder()
    x = torch.rand(4, 12)
    with pytest.raises(ValueError, match="encoder output of size 5 does not fit the decoder's input"):
        autoencoder_spectrum(mlp(12, 5, activation=nn.ReLU()), decoder, x)
    with pytest.raises(ValueError, match="does not fit the encoder's input"):
        autoencoder_spectrum(encoder, decoder, torch.rand(4, 11))
    with pytest.raises(ValueError, match=r"as many entries as x, 12 a sample; got size 13"):
        autoencoder_spectrum(encoder, mlp(3, 13, activation=nn.ReLU()), x)


def test_wrong_arguments_are_named():
    encoder, decoder = autoencoder()
    x = torch.rand(4, 12)
    with pytest.raises(ValueError, match="of must be"):
        autoencoder_spectrum(encoder, decoder, x, of="output")
    with pytest.raises(TypeError, match="x must be real floating point"):
        autoencoder_spectrum(encoder, decoder, torch.ones(4, 12, dtype=torch.uint8))
    with pytest.raises(TypeError, match="data type of the encoder"):
        autoencoder_spectrum(encoder, decoder, x.double())
    with pytest.raises(TypeError, match="data type of the decoder"):
        autoencoder_spectrum(encoder, nn.Linear(3, 12).double(), x)
    with pytest.raises(TypeError, match=r"decoder must be a torch.nn.Module"):
        autoencoder_spectrum(encoder, decoder.forward, x)
    with pytest.raises(ValueError, match="one device"):
        autoencoder_spectrum(encoder, nn.Linear(3, 12, device="meta"), x)
    with pytest.raises(ValueError, match="batch axis"):
        autoencoder_spectrum(encoder, decoder, x[0])
    with pytest.raises(ValueError, match="encoder layer 1, Dropout, must be in evaluation mode"):
        autoencoder_spectrum(encoder.train(), decoder, x)


@pytest.mark.parametrize(("max_memory", "message"), [("1KB", "must hold one sample"), (0, "must be positive")])
def test_budgets_too_small_are_refused(max_memory, message):
    encoder, decoder = autoencoder()
    with pytest.raises(ValueError, match=message):
        autoencoder_spectrum(encoder, decoder, torch.rand(4, 12), max_memory=max_memory)
