"""What a run ran on."""

import os
import platform

import torch

from geolatent import __version__, _kernels


def environment() -> dict[str, str]:
    """Versions, instruction set, threads and platform, for reports and ``geolatent doctor``."""
    levels = ", ".join(_kernels.isa_levels())
    return {
        "geolatent": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": _version("numpy"),
        "scikit-learn": _version("scikit-learn"),
        "platform": platform.platform(),
        "processors": str(os.cpu_count()),
        "torch threads": str(torch.get_num_threads()),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "instruction set": f"{_kernels.isa()} (available: {levels})" if levels else "torch (compiled core absent)",
    }


def _version(package: str) -> str:
    from importlib.metadata import version

    return version(package)
