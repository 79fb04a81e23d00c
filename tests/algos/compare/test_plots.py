import csv
import json
from pathlib import Path

import numpy as np
import pytest

from algos.compare import plots
from algos.usage import UsageError

CONFIG = {"env_id": "CartPole-v1", "algo": {"max_kl": 0.02, "gamma": 0.99}, "device": "cpu"}


def write_run(
    path: Path, rows: list[dict[str, float]], seed: int = 1, max_kl: float = 0.02
) -> Path:
    """Write a run's folder as train.py does, as far as plots read it."""
    path.mkdir()
    algo = CONFIG["algo"] | {"max_kl": max_kl}
    config = CONFIG | {"seed": seed, "run_dir": str(path), "algo": algo}
    (path / "config.json").write_text(json.dumps(config))
    names = list(dict.fromkeys(name for row in rows for name in row))
    with (path / "metrics.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["iteration", *names])
        writer.writeheader()
        writer.writerows({"iteration": i, **row} for i, row in enumerate(rows, 1))
    return path


def returns(values: list[float], stride: int = 100) -> list[dict[str, float]]:
    return [{"env_steps": stride * i, "episode_return": v} for i, v in enumerate(values, 1)]


@pytest.mark.slow
def test_evaluations_at_other_steps_have_no_mean_and_do_no_harm(tmp_path: Path) -> None:
    rows = [returns([10, 20, 30]) for _ in range(2)]
    rows[0][0]["eval/return_mean"] = rows[1][2]["eval/return_mean"] = 5.0
    runs = [write_run(tmp_path / f"a-s{seed}", rows[seed], seed) for seed in (0, 1)]
    assert plots.band([plots.load(run) for run in runs], "eval/return_mean") is None
    assert plots.draw(runs, tmp_path / "curves.png").exists()


def test_a_foreign_table_is_refused(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a-s1", [{"loss": 1.0}])
    with pytest.raises(ValueError, match="no column env_steps"):
        plots.load(run)


def test_a_band_covers_the_steps_that_all_seeds_have(tmp_path: Path) -> None:
    long = plots.load(write_run(tmp_path / "a-s1", returns([0, 10, 20, 30])))
    short = plots.load(write_run(tmp_path / "a-s2", returns([10, 20, 30]), seed=2))
    coarse = plots.load(write_run(tmp_path / "a-s3", returns([20, 40], stride=200), seed=3))
    known = plots.band([long, short], "episode_return")
    assert known is not None
    assert list(known.steps) == [100, 200, 300]
    assert list(known.mean) == [5, 15, 25]
    # two seeds ±5 about their mean: the standard error is 5, t(0.975, 1) = 12.7062
    assert known.high - known.mean == pytest.approx([63.531] * 3, rel=1e-4)
    assert known.mean - known.low == pytest.approx([63.531] * 3, rel=1e-4)
    between = plots.band([long, coarse], "episode_return")
    assert between is not None
    assert list(between.steps) == [200, 300, 400]
    assert list(between.mean) == [15, 25, 35]  # 30 at 300, halfway from 20 to 40
    assert plots.band([long, short], "eval/return_mean") is None


def test_empty_cells_are_no_points(tmp_path: Path) -> None:
    rows = returns([1.0, 2.0, 3.0])
    rows[2]["eval/return_mean"] = 7.0
    run = plots.load(write_run(tmp_path / "a", rows))
    assert run.curve("eval/return_mean").tolist() == [[300.0], [7.0]]


def test_means_over_episodes_are_drawn_from_a_hundred_on(tmp_path: Path) -> None:
    rows = returns([1.0, 2.0, 3.0])
    for row, episodes, falls in zip(rows, (1, 99, 100), (1.0, 0.0, 0.5), strict=True):
        row |= {"episodes": episodes, "episode/fall": falls}
    run = plots.load(write_run(tmp_path / "a", rows))
    assert run.curve("episode/fall").tolist() == [[200.0, 300.0], [0.01, 0.5]]
    assert run.curve("episode_return").shape == (2, 3)


def test_runs_that_differ_in_the_seed_alone_are_together(tmp_path: Path) -> None:
    runs = [
        plots.load(write_run(tmp_path / f"{name}-s{seed}", returns([1.0]), seed, max_kl))
        for name, max_kl in (("a", 0.02), ("b", 0.01))
        for seed in (1, 2)
    ]
    groups = plots.group(runs)
    seeds = {label: [run.config["seed"] for run in members] for label, members in groups.items()}
    assert seeds == {"max_kl 0.02": [1, 2], "max_kl 0.01": [1, 2]}
    assert list(plots.group(runs[:2])) == ["CartPole-v1"]


def test_a_seed_that_comes_twice_is_no_second_seed(tmp_path: Path) -> None:
    names = ("old-s1", "old-s2", "new-s1", "new-s2")
    runs = [plots.load(write_run(tmp_path / n, returns([1.0]), int(n[-1]))) for n in names]
    assert {label: len(members) for label, members in plots.group(runs).items()} == {
        "old": 2,
        "new": 2,
    }


@pytest.mark.slow
def test_the_picture_is_written_twice_and_names_its_panels(tmp_path: Path) -> None:
    rows = returns([1.0, 2.0])
    for row in rows:
        row |= {"kl": 0.01, "max_kl": 0.02, "episode/slip": -1.0, "episode/fall": 0.0}
        row |= {"episodes": 100.0}
    run = write_run(tmp_path / "a-s1", rows)
    plots.main([str(run)])
    assert (run / "curves.png").read_bytes().startswith(b"\x89PNG")
    text = (run / "curves.svg").read_text()
    for title in ("episode return", "KL divergence, dashed: δ", "reward: slip", "CartPole-v1"):
        assert title in text
    assert "with a fall" not in text  # zero throughout
    plots.main([str(run), "--out", str(tmp_path / "x" / "b.svg")])
    assert sorted(p.name for p in (tmp_path / "x").iterdir()) == ["b.png", "b.svg"]


def test_what_cannot_be_drawn_is_named(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", returns([1.0]))
    with pytest.raises(ValueError, match=r"must end in \.png or \.svg"):
        plots.main([str(run), "--out", "curves.pdf"])
    (run / "metrics.csv").write_text("iteration,env_steps\n")
    with pytest.raises(ValueError, match="has no iteration yet"):
        plots.main([str(run)])
    (run / "metrics.csv").write_text("iteration,env_steps\n1,many\n")
    with pytest.raises(UsageError, match=r"metrics\.csv is damaged"):
        plots.main([str(run)])
    (run / "metrics.csv").unlink()
    with pytest.raises(ValueError, match=r"run has no metrics\.csv"):
        plots.main([str(run)])
    with pytest.raises(ValueError, match="nowhere is no run"):
        plots.main([str(tmp_path / "nowhere")])
    with pytest.raises(ValueError, match="needs the folder of a run"):
        plots.main([])


def walks(falls: float, error: float) -> list[dict[str, float]]:
    """Rows of a walking run that ends with an evaluation."""
    rows = returns([1.0, 2.0])
    measured = {"eval/share/fall_rate": falls, "eval/measure/lin_vel_error": error}
    rows[1] |= {"eval/return_mean": 50.0, "eval/episodes": 20.0, **measured}
    return rows


def test_what_a_task_is_judged_by_comes_first_and_returns_last(tmp_path: Path) -> None:
    path = write_run(tmp_path / "a-s1", walks(0.05, 0.3))
    config = json.loads((path / "config.json").read_text())
    measures = {"fall_rate": {"unit": ""}, "lin_vel_error": {"unit": "m/s"}}
    (path / "config.json").write_text(json.dumps(config | {"env": {"measures": measures}}))
    walk, other = plots.load(path), plots.load(write_run(tmp_path / "b-s1", returns([1.0])))
    assert plots.measures([walk]) == {
        "eval/share/fall_rate": "fall rate",
        "eval/measure/lin_vel_error": "lin vel error (m/s)",
    }
    assert list(plots._panels({"": [walk]}).values()) == [
        "evaluation: fall rate",
        "evaluation: lin vel error (m/s)",
        "episode return",
        "return of the deterministic policy",
    ]
    assert plots.measures([other]) == {}
    assert list(plots._panels({"": [other]})) == ["episode_return"]


def test_a_band_of_falls_stays_between_0_and_1(tmp_path: Path) -> None:
    runs = [
        plots.load(write_run(tmp_path / f"a-s{i}", walks(falls, 0.3), seed=i))
        for i, falls in enumerate((0.0, 0.05, 0.0))
    ]
    known = plots.band(runs, "eval/share/fall_rate")
    assert known is not None
    # 1 of 3 · 20 episodes, scattered as chance has it: Wilson's interval
    assert (known.mean, known.low, known.high) == pytest.approx((1 / 60, 0.00295, 0.0886), rel=2e-2)


def test_a_run_without_a_value_adds_no_episodes_to_its_band(tmp_path: Path) -> None:
    judged = [plots.load(write_run(tmp_path / f"a-s{i}", walks(0.0, 0.3), seed=i)) for i in (1, 2)]
    fresh = plots.load(write_run(tmp_path / "a-s3", returns([1.0, 2.0]), seed=3))
    known = [plots.band(runs, "eval/share/fall_rate") for runs in (judged, [*judged, fresh])]
    assert known[0] is not None
    assert known[1] is not None
    np.testing.assert_array_equal(known[0].high, known[1].high)


def test_a_value_that_the_last_evaluation_lacks_is_not_one_of_before(tmp_path: Path) -> None:
    rows = walks(0.0, 0.3)
    rows[0] |= {"eval/return_mean": 1.0, "eval/measure/power": 9.0}
    run = plots.load(write_run(tmp_path / "a-s1", rows))
    assert (run.last("eval/measure/lin_vel_error"), run.last("eval/return_mean")) == (0.3, 50.0)
    assert np.isnan(run.last("eval/measure/power"))
    assert np.isnan(run.last("eval/measure/unheard_of"))


@pytest.mark.slow
def test_a_folder_of_any_name_is_a_label(tmp_path: Path) -> None:
    names = ("caf\udce9", "a$\\b$", "_c")  # no UTF-8; what would be a formula; or a hidden label
    runs = [write_run(tmp_path / name, returns([10, 20])) for name in names]
    plots.draw(runs, tmp_path / "curves.png")
    text = (tmp_path / "curves.svg").read_text()
    assert "caf\\udce9" in text
    assert "a$\\b$" in text
    assert "_c" in text
