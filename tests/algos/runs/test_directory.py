"""Which run a folder holds."""

from __future__ import annotations

from pathlib import Path

from algos.runs.directory import RunDirectory


def test_a_restart_goes_on_with_a_run_of_its_own_settings_and_seed(tmp_path: Path) -> None:
    config = {"env_id": "CartPole-v1", "seed": 1, "algo": {"gamma": 0.9}}
    run = RunDirectory.create(tmp_path / "run", config)
    assert run.holds(config | {"run_dir": "elsewhere"})
    assert not run.holds(config | {"seed": 2})
    assert not run.holds(config | {"algo": {"gamma": 0.99}})
    assert not RunDirectory(tmp_path / "none").holds(config)
