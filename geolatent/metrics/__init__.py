"""Measures of autoencoders and of out-of-distribution scores."""

from geolatent.metrics.detection import auroc
from geolatent.metrics.mahalanobis import Mahalanobis
from geolatent.metrics.reconstruction import psnr, reconstruction_error

__all__ = ["Mahalanobis", "auroc", "psnr", "reconstruction_error"]
