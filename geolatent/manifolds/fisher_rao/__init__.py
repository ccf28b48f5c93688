"""The general Fisher-Rao metric of Gaussians: formulas, solver, derivatives, exponential map, transport, bounds."""
