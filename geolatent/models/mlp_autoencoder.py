"""The autoencoder of two fully connected networks, mirror images of one another."""

from collections.abc import Sequence

from torch import Generator

from geolatent.models.autoencoder import Autoencoder
from geolatent.models.layers import Activation, activation_name, checked_width, perceptron


class MLPAutoencoder(Autoencoder):
    r"""Fully connected autoencoder n - hidden - d - reversed hidden - n.

    .. math:: f = \sigma_z \circ A_k \circ \sigma \circ \dots \circ \sigma \circ A_1, \qquad
              g = \sigma_x \circ B_1 \circ \sigma \circ \dots \circ \sigma \circ B_k

    with affine maps A and B, the activation :math:`\sigma`, and :math:`\sigma_z`, :math:`\sigma_x` after the
    last layers. ``encoder`` and ``decoder`` are nn.Sequential of nn.Linear and activation modules. The
    default is the network of [agarwala2022ood].

    Args:
        n_features: values a sample.
        latent_dim: values a code.
        hidden: widths of the encoder's hidden layers; the decoder has them in reverse. May be empty.
        activation: after each hidden layer: "relu", "tanh", "sigmoid", "leaky_relu", "gelu", "identity", an
            nn.Module class or another factory of modules, or a module, of which every layer gets a copy.
        output_activation: after the decoder's last layer, likewise; None for none.
        latent_activation: after the encoder's last layer, likewise; None for none.
        generator: source of the initial weights; None means torch's default generator.

    Raises:
        ValueError: if a width is less than 1 or an activation's name is unknown.
        TypeError: if a width is not an integer or an activation yields no module.

    >>> import torch
    >>> model = MLPAutoencoder(784, 20)
    >>> model.encode(torch.rand(5, 28, 28)).shape
    torch.Size([5, 20])
    """

    def __init__(
        self,
        n_features: int,
        latent_dim: int,
        hidden: Sequence[int] = (128, 64, 32),
        activation: Activation = "relu",
        output_activation: Activation | None = "tanh",
        latent_activation: Activation | None = None,
        *,
        generator: Generator | None = None,
    ) -> None:
        if not isinstance(hidden, Sequence) or isinstance(hidden, str):
            raise TypeError(f"hidden must be a sequence of widths; got {hidden!r}: give one layer as (width,)")
        hidden = [checked_width(f"hidden[{k}]", width) for k, width in enumerate(hidden)]
        n_features = checked_width("n_features", n_features)
        latent_dim = checked_width("latent_dim", latent_dim)
        widths = [n_features, *hidden, latent_dim]
        super().__init__(
            perceptron(widths, activation, latent_activation, generator),
            perceptron(widths[::-1], activation, output_activation, generator),
            {
                "n_features": n_features,
                "latent_dim": latent_dim,
                "hidden": hidden,
                "activation": activation_name(activation),
                "output_activation": activation_name(output_activation),
                "latent_activation": activation_name(latent_activation),
            },
        )
