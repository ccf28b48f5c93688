import platform

import torch

from geolatent import __version__
from geolatent.report import environment


def test_names_versions_threads_and_instruction_set():
    found = environment()
    assert found["geolatent"] == __version__
    assert found["torch"] == torch.__version__
    assert found["python"] == platform.python_version()
    assert found["torch threads"] == str(torch.get_num_threads())
    assert found["instruction set"]
