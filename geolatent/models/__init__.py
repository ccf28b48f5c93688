"""Autoencoders, and paths between their posteriors."""

from geolatent.models.autoencoder import Autoencoder
from geolatent.models.interpolation import PosteriorPath, interpolate_posteriors
from geolatent.models.linear_autoencoder import LinearAutoencoder
from geolatent.models.mlp_autoencoder import MLPAutoencoder

__all__ = ["Autoencoder", "LinearAutoencoder", "MLPAutoencoder", "PosteriorPath", "interpolate_posteriors"]
