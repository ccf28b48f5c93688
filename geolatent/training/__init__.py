"""Training of one model, and its files."""

from geolatent.training.fit import fit
from geolatent.training.history import History
from geolatent.training.model_files import load, save
from geolatent.training.snapshot import CheckpointError

__all__ = ["CheckpointError", "History", "fit", "load", "save"]
