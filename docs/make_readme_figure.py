"""Draw docs/assets/spectra.png: python docs/make_readme_figure.py (about a minute on two cores)."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import torch

import geolatent as gl

LATENT_DIM = 8
SETS = {"digits": "Unseen digits", "bernoulli-0.25": "Sparse binary noise", "uniform": "Uniform noise"}
COLOURS = ("#0072B2", "#D55E00", "#009E73")


def main() -> None:
    """Train on the digits and compare the spectra at digits and at noise."""
    train = gl.datasets.load("digits", "train").images.flatten(1)
    test = gl.datasets.load("digits", "test").images.flatten(1)
    model = gl.models.MLPAutoencoder(64, LATENT_DIM, generator=torch.Generator().manual_seed(0))
    gl.training.fit(model, train, epochs=300, generator=torch.Generator().manual_seed(0))
    model.eval()
    generator = torch.Generator().manual_seed(0)
    noise = {name: gl.datasets.random_pixels(name, len(test), (8, 8), generator) for name in list(SETS)[1:]}
    inputs = {"digits": test} | {name: pixels.flatten(1) for name, pixels in noise.items()}
    pairs = {
        name: gl.jacobians.autoencoder_spectrum(model.encoder, model.decoder, x, of="both")
        for name, x in inputs.items()
    }
    figure = plt.figure(figsize=(10, 6.4), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=(1.75, 1))
    grid = above.subplots(2, 3, gridspec_kw={"height_ratios": (1, 1.9)})
    for column, (name, x) in enumerate(inputs.items()):
        draw_images(grid[0, column], model, x, SETS[name])
        draw_eigenvalues(grid[1, column], pairs[name].input, COLOURS[column])
    grid[1, 0].set_ylabel(r"Im $\lambda$")
    draw_differences(below.subplots(), pairs)
    out = Path(__file__).parent / "assets" / "spectra.png"
    figure.savefig(out, dpi=160, facecolor="white")


def draw_images(axes, model, x, title) -> None:
    """Four inputs above their reconstructions."""
    with torch.no_grad():
        shown = torch.stack([x[:4], model(x[:4])]).unflatten(2, (8, 8))
    gl.plots.image_grid(axes, shown, ["input", "output"], [""] * 4)
    axes.set_title(title, fontsize="large")


def draw_eigenvalues(axes, spectrum, colour) -> None:
    """All eigenvalues of all samples in the complex plane, with the unit circle."""
    axes.add_patch(plt.Circle((0, 0), 1, fill=False, color="0.35", linestyle="--", linewidth=0.9))
    values = spectrum.eigenvalues.flatten()
    axes.scatter(values.real, values.imag, s=6, alpha=0.35, linewidths=0, color=colour)
    axes.set(xlim=(-1.7, 2.3), ylim=(-1.25, 1.25), aspect="equal", xlabel=r"Re $\lambda$")
    axes.grid(color="0.92", linewidth=0.6)
    axes.set_axisbelow(True)


def draw_differences(axes, pairs) -> None:
    """Share of the images up to each distance between the spectra of J_I and J_L."""
    levels = torch.linspace(0, 1, 301, dtype=torch.float64)
    for (name, pair), colour in zip(pairs.items(), COLOURS, strict=True):
        axes.plot(pair.squared_difference.quantile(levels), levels, color=colour, label=SETS[name], linewidth=2)
    axes.set(xscale="log", xlim=(1e-4, 10), ylim=(0, 1.02), ylabel="share of images")
    axes.set_xlabel(r"distance of the spectra at input and at output, $\|\lambda_I - \lambda_L\|^2 / d$")
    axes.grid(color="0.92", linewidth=0.6)
    axes.legend(loc="lower right", frameon=False)


if __name__ == "__main__":
    main()
