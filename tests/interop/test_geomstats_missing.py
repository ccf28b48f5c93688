"""What the geomstats bridge says where geomstats is not installed or cannot be imported."""

import subprocess
import sys

import pytest

import geolatent as gl


@pytest.fixture
def no_geomstats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "geolatent.interop.geomstats", raising=False)
    monkeypatch.delitem(vars(gl.interop), "geomstats", raising=False)
    monkeypatch.setitem(sys.modules, "geomstats", None)
    monkeypatch.setitem(sys.modules, "geomstats.backend", None)


@pytest.mark.usefixtures("no_geomstats")
def test_the_error_names_the_extra_and_the_cap() -> None:
    with pytest.raises(ImportError, match=r"numpy < 2\.4.*pip install 'geolatent\[geomstats\]'"):
        _ = gl.interop.geomstats


def test_an_unknown_bridge_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'geomstat'"):
        _ = gl.interop.geomstat


def test_entering_interop_does_not_import_geomstats() -> None:
    code = "import sys, geolatent.interop; print('geomstats' in sys.modules)"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
