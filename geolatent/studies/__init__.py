"""One paper a module: its experiment from data to verdicts."""

from geolatent.studies import ood_jacobians, spsd_latents

__all__ = ["ood_jacobians", "spsd_latents"]
