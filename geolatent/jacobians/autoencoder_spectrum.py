"""Spectra of an autoencoder's Jacobians J_I and J_L, sample by sample, without an N x N matrix."""

from typing import Literal, overload

import torch
from torch import Tensor, nn

from geolatent._memory import DEFAULT_BUDGET, items_per_tile
from geolatent.jacobians.dense_network import dense_network
from geolatent.jacobians.modules import Function, batch_function, require_module, working_dtype
from geolatent.jacobians.products import DenseProducts, ModuleProducts, Products, activation_sizes
from geolatent.jacobians.spectrum import Spectrum, SpectrumPair
from geolatent.linalg import eigvals


@overload
def autoencoder_spectrum(
    encoder: nn.Module,
    decoder: nn.Module,
    x: Tensor,
    of: Literal["input", "latent"] = "input",
    max_memory: int | str | None = None,
    progress: bool = False,
) -> Spectrum: ...


@overload
def autoencoder_spectrum(
    encoder: nn.Module,
    decoder: nn.Module,
    x: Tensor,
    of: Literal["both"],
    max_memory: int | str | None = None,
    progress: bool = False,
) -> SpectrumPair: ...


def autoencoder_spectrum(
    encoder: nn.Module,
    decoder: nn.Module,
    x: Tensor,
    of: Literal["input", "latent", "both"] = "input",
    max_memory: int | str | None = None,
    progress: bool = False,
) -> Spectrum | SpectrumPair:
    r"""Eigenvalues of an autoencoder's Jacobian at every sample.

    .. math:: J_I(x) = Dg(z)\, Df(x), \qquad J_L(z) = Df(y)\, Dg(z), \qquad z = f(x), \quad y = g(z)

    The d leading eigenvalues of the N x N matrix J_I are exactly those of the d x d matrix Df(x) Dg(z), for
    AB and BA share their non-zero spectrum; the others are zero. (With d > N the last d - N are zeros, up to
    rounding.) Samples stream in tiles, so that memory does not grow with their number beyond the result. Two
    nn.Sequential of linear layers and entry-wise activations run through the compiled chain, every other
    module through torch.func (the decoder must support forward-mode differentiation).

    Args:
        encoder: f, maps (N, ...) to the latent codes (N, ...); d counts the entries of one code.
        decoder: g, maps latent codes to reconstructions with as many entries as ``x``.
        x: samples, shape (N, ...), floating point; float16 and bfloat16 are computed in float32.
        of: ``"input"`` for J_I, ``"latent"`` for J_L, ``"both"`` for the two (they share the decoder's
            tangents).
        max_memory: bytes, or text such as ``"2GiB"`` or ``"500MB"``, that the computation may hold beside
            ``x``, the modules and the result; the estimate for arbitrary modules is approximate. By default
            ``"1GiB"``.
        progress: show a progress bar.

    Returns:
        A :class:`Spectrum`, eigenvalues (N, d) by decreasing modulus; for ``"both"`` a :class:`SpectrumPair`.

    Raises:
        TypeError: if ``x`` is not floating point or differs from the parameters in data type.
        ValueError: if ``x`` holds NaN or Inf, a layer is in training mode, devices differ, encoder and
            decoder do not fit, or ``max_memory`` is malformed or too small for one sample.

    Accuracy:
        That of :func:`geolatent.linalg.eigvals` on the product, which is formed in the precision of ``x``.

    Source:
        [agarwala2022ood], definitions of J_I and J_L.

    Example:
        >>> import torch
        >>> encoder, decoder = torch.nn.Linear(6, 2), torch.nn.Linear(2, 6)
        >>> autoencoder_spectrum(encoder, decoder, torch.rand(10, 6)).eigenvalues.shape
        torch.Size([10, 2])
    """
    if of not in ("input", "latent", "both"):
        raise ValueError(f"of must be 'input', 'latent' or 'both'; got {of!r}")
    require_module("encoder", encoder, x)
    require_module("decoder", decoder, x)
    if x.ndim < 2:
        raise ValueError(f"x must have shape (N, ...); got {tuple(x.shape)}: add a batch axis with .unsqueeze(0)")
    budget = DEFAULT_BUDGET if max_memory is None else max_memory
    with torch.inference_mode(False), torch.no_grad():
        products, latent_dim = _products(encoder, decoder, x, at_input=of != "latent", at_reconstruction=of != "input")
        tile = items_per_tile(budget, products.bytes_per_sample, products.largest_tile)
        branches = 2 if of == "both" else 1
        eigenvalues = _stream(products, x, tile, (branches, latent_dim), progress)
    if of == "both":
        return SpectrumPair(Spectrum(eigenvalues[:, 0].contiguous()), Spectrum(eigenvalues[:, 1].contiguous()))
    return Spectrum(eigenvalues[:, 0])


def _stream(products: Products, x: Tensor, tile: int, shape: tuple[int, int], progress: bool) -> Tensor:
    """Eigenvalues of the products tile by tile, shape (N, branches, d)."""
    from tqdm import tqdm

    dtype = working_dtype(x)
    eigenvalues = torch.empty((len(x), *shape), dtype=dtype.to_complex(), device=x.device)
    with tqdm(total=len(x), unit="sample", disable=not progress) as bar:
        for start in range(0, len(x), tile):
            samples = x[start : start + tile].to(dtype)
            _require_finite(samples, start)
            eigenvalues[start : start + tile] = eigvals(products(samples))
            bar.update(len(samples))
    return eigenvalues


def _products(
    encoder: nn.Module, decoder: nn.Module, x: Tensor, at_input: bool, at_reconstruction: bool
) -> tuple[Products, int]:
    """The route for these modules, and the latent dimension."""
    dtype = working_dtype(x)
    dense_encoder = dense_network(encoder, x.ndim - 1, dtype)
    dense_decoder = dense_network(decoder, 1, dtype)
    probe = x.new_zeros((1, *x.shape[1:]), dtype=dtype)
    functions = batch_function(encoder, dtype), batch_function(decoder, dtype)
    code = _probe(*functions, probe)
    if dense_encoder is not None and dense_decoder is not None:
        return DenseProducts(dense_encoder, dense_decoder, at_input, at_reconstruction), code.numel()
    in_encoder = activation_sizes(encoder, functions[0], probe)
    in_decoder = activation_sizes(decoder, functions[1], code)
    # Reverse mode keeps the encoder's activations; each of the d tangents or cotangents holds a few layers at
    # a time.
    entries = 3 * (sum(in_encoder) + sum(in_decoder)) + 6 * code.numel() * max(in_encoder + in_decoder)
    size = entries * dtype.itemsize
    return ModuleProducts(*functions, at_input, at_reconstruction, bytes_per_sample=size), code.numel()


def _probe(encoder: Function, decoder: Function, sample: Tensor) -> Tensor:
    """Code of one sample; raises where the two modules do not fit each other or ``x``."""
    try:
        code = encoder(sample)
    except RuntimeError as error:
        raise ValueError(f"x of shape (N, {_sizes(sample)}) does not fit the encoder's input: {error}") from error
    try:
        reconstruction = decoder(code)
    except RuntimeError as error:
        raise ValueError(
            f"encoder output of size {_sizes(code)} does not fit the decoder's input: give both the same "
            f"latent dimension ({error})"
        ) from error
    if reconstruction.numel() != sample.numel():
        raise ValueError(
            f"decoder output must have as many entries as x, {sample.numel()} a sample; got size "
            f"{_sizes(reconstruction)}: an autoencoder reconstructs its input"
        )
    return code


def _sizes(batch: Tensor) -> str:
    return " x ".join(str(size) for size in batch.shape[1:])


def _require_finite(samples: Tensor, start: int) -> None:
    """Raise ValueError naming the first sample that holds NaN or Inf."""
    if samples.sum().isfinite():  # ten times faster than entry by entry; a sum of finite entries may overflow
        return
    finite = samples.flatten(1).isfinite().all(1)
    if not finite.all():
        index = start + int(finite.logical_not().nonzero()[0])
        raise ValueError(f"x must be finite; sample {index} holds NaN or Inf: remove or repair it")
