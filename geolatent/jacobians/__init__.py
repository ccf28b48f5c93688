"""Per-sample Jacobians and the spectra of autoencoders."""

from geolatent.jacobians.autoencoder_spectrum import autoencoder_spectrum
from geolatent.jacobians.jacobian import jacobian
from geolatent.jacobians.spectrum import Spectrum, SpectrumPair, summarize

__all__ = ["Spectrum", "SpectrumPair", "autoencoder_spectrum", "jacobian", "summarize"]
