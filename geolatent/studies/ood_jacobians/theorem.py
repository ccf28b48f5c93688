r"""Theorem I.1 on linear autoencoders: the Jacobian of a projection onto d dimensions has d eigenvalues 1.

If g o f is a linear projector, J_I = P with P^2 = P of rank d, whose d leading eigenvalues are 1; so are
those of J_L = Df Dg = I. It holds for oblique projectors too.
"""

import pandas as pd
import torch
from torch import Tensor

from geolatent.jacobians import autoencoder_spectrum
from geolatent.models import LinearAutoencoder
from geolatent.studies._identity import generator_for
from geolatent.studies.ood_jacobians.configuration import Configuration

_IMAGES = 500
_SAMPLES = 8


def check_projectors(images: Tensor, configuration: Configuration) -> pd.DataFrame:
    """Largest departure of an eigenvalue from 1, for an orthogonal and an oblique projector of each rank.

    The bound is the backward error of the eigenvalues, 20 d eps ||A||, times the conditioning of building A;
    A is the d x d matrix Df Dg, which is the identity up to rounding.
    """
    data = images[:_IMAGES].flatten(1).double()
    rows = []
    for latent_dim in configuration.latent_dims:
        orthogonal = LinearAutoencoder.from_pca(data, latent_dim)
        for kind, model in (
            ("orthogonal (PCA)", orthogonal),
            ("oblique", _oblique(orthogonal, configuration.seed)),
        ):
            pair = autoencoder_spectrum(model.encoder, model.decoder, data[:_SAMPLES], of="both")
            departures = [float((spectrum.eigenvalues - 1).abs().max()) for spectrum in pair]
            scale = float(model.encoder.weight.detach().norm() * model.decoder.weight.detach().norm())
            bound = 20 * latent_dim * torch.finfo(torch.float64).eps * scale
            rows.append([latent_dim, kind, *departures, bound])
    return pd.DataFrame(rows, columns=["d", "projector", "max |lambda_I - 1|", "max |lambda_L - 1|", "bound"])


def _oblique(orthogonal: LinearAutoencoder, seed: int) -> LinearAutoencoder:
    """A projector onto the same subspace along another complement: the encoder (C D)^-1 C, C perturbed."""
    width, latent_dim = orthogonal.decoder.weight.shape
    model = LinearAutoencoder(width, latent_dim, bias=False, generator=torch.Generator()).double()
    noise = torch.randn(latent_dim, width, generator=generator_for("oblique", latent_dim, seed), dtype=torch.float64)
    tilted = orthogonal.encoder.weight + 0.3 * noise / width**0.5
    decoder = orthogonal.decoder.weight
    with torch.no_grad():
        model.decoder.weight.copy_(decoder)
        model.encoder.weight.copy_(torch.linalg.solve(tilted @ decoder, tilted))
    return model
