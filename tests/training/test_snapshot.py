import json

import pytest
import torch

from geolatent.training import CheckpointError
from geolatent.training.snapshot import read_snapshot, remove_snapshot, write_snapshot

TENSORS = {
    "weights": torch.arange(6.0).reshape(2, 3).T,
    "tied": torch.zeros(4)[1:],
    "steps": torch.tensor(7),
    "random": torch.arange(5, dtype=torch.uint8),
    "half": torch.ones(2, dtype=torch.bfloat16),
    "empty": torch.zeros(0, 3),
}
DESCRIPTION = {"loss": [0.1, 1 / 3], "name": "run"}


def test_round_trip_is_exact(tmp_path):
    write_snapshot(tmp_path / "a" / "b", "run", TENSORS, DESCRIPTION)
    tensors, description = read_snapshot(tmp_path / "a" / "b", "run")
    assert description == DESCRIPTION
    assert tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert tensors[name].dtype == tensor.dtype
        assert torch.equal(tensors[name], tensor)


def test_nothing_written_is_none(tmp_path):
    assert read_snapshot(tmp_path / "none", "run") is None


def test_writing_again_and_removing_leave_other_files_alone(tmp_path):
    (tmp_path / "run-other.safetensors").write_text("of somebody else")
    write_snapshot(tmp_path, "run", TENSORS, DESCRIPTION)
    write_snapshot(tmp_path, "run", TENSORS, {"again": True})
    assert read_snapshot(tmp_path, "run")[1] == {"again": True}
    write_snapshot(tmp_path, "run", {"one": torch.ones(1)}, {})
    assert read_snapshot(tmp_path, "run") == ({"one": torch.ones(1)}, {})
    assert len(list(tmp_path.iterdir())) == 3
    remove_snapshot(tmp_path, "run")
    remove_snapshot(tmp_path, "run")
    assert [path.name for path in tmp_path.iterdir()] == ["run-other.safetensors"]


def test_every_damaged_byte_of_the_tensors_is_found(tmp_path):
    write_snapshot(tmp_path, "run", TENSORS, DESCRIPTION)
    (path,) = tmp_path.glob("run-*.safetensors")
    content = path.read_bytes()
    for position in range(0, len(content), 37):
        damaged = bytearray(content)
        damaged[position] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError, match=rf"{path.name} is damaged: .*delete"):
            read_snapshot(tmp_path, "run")
    path.unlink()
    with pytest.raises(CheckpointError, match=rf"{path.name}, which run\.json names, cannot be read"):
        read_snapshot(tmp_path, "run")


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "3", '{"sha256": 3}', '{"sha256": "../../x"}'])
def test_damaged_description_is_named_and_may_be_overwritten(tmp_path, content):
    write_snapshot(tmp_path, "run", TENSORS, DESCRIPTION)
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"run\.json is damaged .*: delete it"):
        read_snapshot(tmp_path, "run")
    write_snapshot(tmp_path, "run", TENSORS, DESCRIPTION)
    assert read_snapshot(tmp_path, "run")[1] == DESCRIPTION


def test_removing_never_leaves_the_folder(tmp_path):
    victim = tmp_path / "victim.safetensors"
    victim.write_text("precious")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "run.json").write_text(json.dumps({"sha256": "../victim"}))
    remove_snapshot(tmp_path / "folder", "run")
    assert victim.exists()


def test_unwritable_folder_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match=r"file cannot be written .*: give a writable folder"):
        write_snapshot(tmp_path / "file", "run", TENSORS, DESCRIPTION)
