"""Autoencoders, and paths between their posteriors."""

from geolatent.models.autoencoder import Autoencoder
from geolatent.models.conv_autoencoder import ConvAutoencoder
from geolatent.models.conv_vae import ConvVAE
from geolatent.models.denoising_autoencoder import DenoisingAutoencoder
from geolatent.models.interpolation import PosteriorPath, interpolate_posteriors
from geolatent.models.linear_autoencoder import LinearAutoencoder
from geolatent.models.mlp_autoencoder import MLPAutoencoder
from geolatent.models.objectives import bernoulli_cross_entropy, kl_to_standard_normal
from geolatent.models.sctc import SCTC

__all__ = [
    "SCTC",
    "Autoencoder",
    "ConvAutoencoder",
    "ConvVAE",
    "DenoisingAutoencoder",
    "LinearAutoencoder",
    "MLPAutoencoder",
    "PosteriorPath",
    "bernoulli_cross_entropy",
    "interpolate_posteriors",
    "kl_to_standard_normal",
]
