import os

import numpy as np
import pytest
import torch

from algos.runs.checkpoint import load_checkpoint, save_checkpoint

CONTENT = {
    "weights": {"w": torch.arange(6.0).view(2, 3), "rng": torch.zeros(5, dtype=torch.uint8)},
    "iteration": 12,
    "env_id": "CartPole-v1",
    "best": 1.5,
    "list": [1, None, True],
}


def test_content_survives_the_round_trip(tmp_path):
    path = tmp_path / "new" / "last.pt"
    save_checkpoint(path, CONTENT)
    loaded = load_checkpoint(path)
    assert torch.equal(loaded["weights"]["w"], CONTENT["weights"]["w"])
    assert loaded["weights"]["rng"].dtype == torch.uint8
    assert {k: v for k, v in loaded.items() if k != "weights"} == {
        k: v for k, v in CONTENT.items() if k != "weights"
    }


def test_failure_while_writing_keeps_the_old_file_and_no_leftover(tmp_path, monkeypatch):
    path = tmp_path / "last.pt"
    save_checkpoint(path, CONTENT)

    def full_disk(descriptor: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="no space"):
        save_checkpoint(path, {"iteration": 13})
    assert load_checkpoint(path)["iteration"] == 12
    assert [p.name for p in tmp_path.iterdir()] == ["last.pt"]


def test_bad_files_are_named_with_the_reason(tmp_path):
    with pytest.raises(ValueError, match=r"gone\.pt: there is no such file"):
        load_checkpoint(tmp_path / "gone.pt")
    save_checkpoint(tmp_path / "cut.pt", CONTENT)
    data = (tmp_path / "cut.pt").read_bytes()
    (tmp_path / "cut.pt").write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match=r"cut\.pt: not readable, truncated"):
        load_checkpoint(tmp_path / "cut.pt")
    (tmp_path / "text.pt").write_text("hello")
    with pytest.raises(ValueError, match=r"text\.pt: not readable"):
        load_checkpoint(tmp_path / "text.pt")
    torch.save({"w": 1}, tmp_path / "foreign.pt")
    with pytest.raises(ValueError, match=r"foreign\.pt: a torch file, but not a trot-checkpoint"):
        load_checkpoint(tmp_path / "foreign.pt")
    torch.save({"format": "trot-checkpoint", "version": 99}, tmp_path / "newer.pt")
    with pytest.raises(ValueError, match=r"newer\.pt: version 99"):
        load_checkpoint(tmp_path / "newer.pt")


@pytest.mark.slow
def test_a_flipped_bit_anywhere_is_noticed_or_harmless(tmp_path):
    path = tmp_path / "last.pt"
    save_checkpoint(path, CONTENT)
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    noticed = 0
    for position in rng.integers(len(whole), size=300):
        flipped = bytearray(whole)
        flipped[position] ^= 1 << int(rng.integers(8))
        path.write_bytes(flipped)
        try:
            loaded = load_checkpoint(path)
        except ValueError:
            noticed += 1
        else:
            assert torch.equal(loaded["weights"]["w"], CONTENT["weights"]["w"])
            assert (loaded["iteration"], loaded["best"]) == (12, 1.5)
    assert noticed > 100  # the rest falls into the container's padding


def test_files_of_version_1_still_load(tmp_path):
    torch.save({"format": "trot-checkpoint", "version": 1, "content": CONTENT}, tmp_path / "a.pt")
    assert load_checkpoint(tmp_path / "a.pt")["iteration"] == 12


class Payload:
    def __reduce__(self):
        return os.mkdir, ("owned",)


def test_loading_runs_no_code_from_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"format": "trot-checkpoint", "version": 1, "content": Payload()}, "evil.pt")
    with pytest.raises(ValueError, match=r"evil\.pt"):
        load_checkpoint("evil.pt")
    assert not (tmp_path / "owned").exists()
