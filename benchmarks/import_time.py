"""Seconds that ``import geolatent`` costs beyond ``import torch``: the median of ten processes each.

Run with: python benchmarks/import_time.py
"""

import subprocess
import sys
from statistics import median

TIMED = "import time; start = time.perf_counter(); {}; print(time.perf_counter() - start)"


def seconds(statements: str) -> float:
    """Median seconds of the statements in a fresh interpreter that has imported torch."""
    command = [sys.executable, "-P", "-c", "import torch; " + TIMED.format(statements)]
    return median(float(subprocess.run(command, capture_output=True, check=True).stdout) for _ in range(10))


if __name__ == "__main__":
    for statements in ("import geolatent", "import geolatent.linalg, geolatent.jacobians, geolatent.models"):
        print(f"{statements}: {seconds(statements):.3f} s beyond import torch")
