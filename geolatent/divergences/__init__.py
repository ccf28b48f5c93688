"""Divergences and distances between Gaussians, to compare with the Fisher-Rao distance."""
