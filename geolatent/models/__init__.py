"""Autoencoders."""

from geolatent.models.autoencoder import Autoencoder
from geolatent.models.linear_autoencoder import LinearAutoencoder
from geolatent.models.mlp_autoencoder import MLPAutoencoder

__all__ = ["Autoencoder", "LinearAutoencoder", "MLPAutoencoder"]
