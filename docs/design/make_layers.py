"""Draw docs/design/layers.svg: python docs/design/make_layers.py."""

from pathlib import Path

# From the bottom up: name, what it holds, colour. An arrow of imports points from each row to any row below it.
ROWS = [
    ([("csrc", "C++17: one kernel a file, one matrix a SIMD lane; compiled once per instruction set", 3)], "#5b6570"),
    ([("_core", "pybind11: addresses and sizes in, GIL released; no torch headers", 3)], "#5b6570"),
    ([("_kernels", "the only importer of _core: kernel or formula? one torch operator a file", 3)], "#5b6570"),
    ([("linalg", "eigenvalues, matrix functions and angles of batches, with gradients", 3)], "#1f6fb2"),
    ([("manifolds", "Gaussians, positive definite matrices, subspaces, products: one protocol", 3)], "#1f6fb2"),
    (
        [("statistics", "means on any manifold", 1), ("divergences", "of Gaussians", 1), ("embeddings", "kernels", 1)],
        "#1f6fb2",
    ),
    ([("jacobians", "per-sample Jacobians of any module, spectra of autoencoders", 3)], "#1f6fb2"),
    ([("models", "one autoencoder a file", 2), ("datasets", "digits, MNIST, random pixels", 1)], "#1f6fb2"),
    ([("training", "fit, checkpoints, exact resume", 3)], "#1f6fb2"),
    (
        [("metrics", "scores, errors, AUROC", 1), ("plots", "Axes in, Axes out", 1), ("report", "page", 1)],
        "#1f7a4d",
    ),
    ([("studies", "one paper each: data, sweep, figures, verdicts", 2), ("interop", "geomstats", 1)], "#1f7a4d"),
    (
        [("cli", "geolatent run, data", 1), ("bench", "against peers", 1), ("doctor", "self-check", 1)],
        "#1f7a4d",
    ),
]
WIDTH, HEIGHT, GAP, LEFT, TOP = 760, 50, 10, 40, 12


def main() -> None:
    """Boxes of one height, the highest layer on top; colours that stand on light and on dark pages."""
    total = TOP + len(ROWS) * (HEIGHT + GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {total}" role="img" '
        'aria-label="Layers of geolatent: each may import only what lies below it">',
        "<style>text{font-family:system-ui,sans-serif;fill:#fff}.name{font-size:16px;font-weight:700}"
        ".what{font-size:13px}</style>",
        f'<path d="M18 {TOP + 4}V{total - GAP - 6}m-6 -9l6 9l6 -9" fill="none" stroke="#8a949e" stroke-width="2.5"/>',
    ]
    for level, (boxes, colour) in enumerate(reversed(ROWS)):
        parts += row(boxes, colour, TOP + level * (HEIGHT + GAP))
    out = Path(__file__).with_name("layers.svg")
    out.write_text("\n".join([*parts, "</svg>", ""]))


def row(boxes: list[tuple[str, str, int]], colour: str, y: int) -> list[str]:
    """One layer: boxes side by side, as wide as their share."""
    third = (WIDTH - LEFT - 8 + GAP) / 3
    x, parts = float(LEFT), []
    for name, what, share in boxes:
        width = share * third - GAP
        parts.append(f'<rect x="{x:.0f}" y="{y}" width="{width:.0f}" height="{HEIGHT}" rx="6" fill="{colour}"/>')
        parts.append(f'<text class="name" x="{x + 14:.0f}" y="{y + 21}">{name}</text>')
        parts.append(f'<text class="what" x="{x + 14:.0f}" y="{y + 39}">{what}</text>')
        x += width + GAP
    return parts


if __name__ == "__main__":
    main()
