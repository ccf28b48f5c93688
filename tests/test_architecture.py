"""Imports run one way only, and entering the package costs nothing that it does not need."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import geolatent

PACKAGE = Path(geolatent.__file__).parent
# Lowest first; a module imports from its own layer and from those before it. Rooms of one layer never meet.
LAYERS = [
    ["_checks", "_memory"],
    ["_core"],
    ["_kernels"],
    ["linalg"],
    ["manifolds"],
    ["statistics", "divergences", "embeddings"],
    ["jacobians"],
    ["models", "datasets"],
    ["training"],
    ["metrics"],
    ["plots"],
    ["report"],
    ["studies", "interop"],
    ["bench", "doctor"],
    ["cli"],
    ["__main__"],
]
RANK = {room: rank for rank, rooms in enumerate(LAYERS) for room in rooms}
MODULES = sorted(PACKAGE.rglob("*.py"))


def rooms_imported_by(path: Path) -> set[str]:
    """Rooms of geolatent that a module imports anywhere, functions included."""
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: absolute imports only"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return {name.split(".")[1] for name in names if name.startswith("geolatent.")} & RANK.keys()


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_run_one_way(path: Path) -> None:
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if room == "__init__":
        return
    assert room in RANK, f"{room} has no layer"
    above = {other for other in rooms_imported_by(path) - {room} if RANK[other] >= RANK[room]}
    assert not above, f"{room} must not import {sorted(above)}"


def test_only_the_kernel_room_knows_the_core() -> None:
    for path in MODULES:
        if path.relative_to(PACKAGE).parts[0] != "_kernels":
            assert "_core" not in rooms_imported_by(path), path


def test_studies_do_not_meet() -> None:
    studies = PACKAGE / "studies"
    names = {p.stem for p in studies.iterdir() if p.stem != "__init__" and not p.stem.startswith("_")}
    for path in studies.rglob("*.py"):
        mine = path.relative_to(studies).parts[0].removesuffix(".py")
        text = path.read_text()
        assert not [n for n in names - {mine} if f"studies.{n}" in text and mine != "__init__"], path


@pytest.mark.parametrize("room", ["", ".linalg", ".manifolds", ".statistics", ".embeddings", ".jacobians", ".models"])
def test_light_rooms_stay_light(room: str) -> None:
    heavy = "{'matplotlib', 'sklearn', 'pandas', 'geomstats', 'pooch', 'jinja2', 'joblib', 'scipy', 'tqdm', 'typer'}"
    code = f"import sys, torch; before = set(sys.modules); import geolatent{room}; "
    code += f"print(*sorted({heavy} & (set(sys.modules) - before)))"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
