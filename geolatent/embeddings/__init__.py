"""Latent tensors as points of a Hilbert space: matrices, ranks, kernels, coordinates and angles."""

from typing import TYPE_CHECKING

from geolatent.embeddings.coordinates import hilbert_dimension, kernel_coordinates
from geolatent.embeddings.kernels import Definiteness, centred_kernel, definiteness, gaussian_kernel
from geolatent.embeddings.log_projection import log_projection_features, log_projection_squared_dist
from geolatent.embeddings.strata import Stratification, numerical_rank, stratification
from geolatent.embeddings.subspaces import eigenspace_angles, subspace_angles
from geolatent.embeddings.tensors import tensor_to_spsd

if TYPE_CHECKING:
    from geolatent.embeddings.hilbert_embedding import HilbertEmbedding

__all__ = [
    "Definiteness",
    "HilbertEmbedding",
    "Stratification",
    "centred_kernel",
    "definiteness",
    "eigenspace_angles",
    "gaussian_kernel",
    "hilbert_dimension",
    "kernel_coordinates",
    "log_projection_features",
    "log_projection_squared_dist",
    "numerical_rank",
    "stratification",
    "subspace_angles",
    "tensor_to_spsd",
]


def __getattr__(name: str) -> type:
    """Load the estimator, and scikit-learn with it, when it is first asked for."""
    if name == "HilbertEmbedding":
        from geolatent.embeddings.hilbert_embedding import HilbertEmbedding

        return HilbertEmbedding
    raise AttributeError(f"module 'geolatent.embeddings' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
