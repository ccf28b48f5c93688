"""Tables and figures of studies to one self-contained HTML page, CSV and PNG files."""

from geolatent.report.environment import environment
from geolatent.report.files import OutputError, require_writable, write_atomically
from geolatent.report.page import write
from geolatent.report.study_result import StudyResult

__all__ = ["OutputError", "StudyResult", "environment", "require_writable", "write", "write_atomically"]
