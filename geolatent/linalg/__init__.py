"""Linear algebra on batches of small matrices."""

from geolatent.linalg.eigh import eigh, eigvalsh
from geolatent.linalg.eigvals import eigvals
from geolatent.linalg.principal_angles import principal_angles
from geolatent.linalg.spd_functions import spd_exp, spd_log, spd_power, spd_sqrt
from geolatent.linalg.svdvals import svdvals

__all__ = ["eigh", "eigvals", "eigvalsh", "principal_angles", "spd_exp", "spd_log", "spd_power", "spd_sqrt", "svdvals"]
