"""A report of a policy: one HTML page that needs nothing but itself."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

import numpy as np

from envs.judge import trials
from envs.judge.protocol import HWANGBO_2019, UNITS, table
from envs.judge.trials import Pushes, Steady, Tracking, Trials
from envs.show import figures
from envs.show.report_style import STYLE
from robots.robot import Robot


@dataclass(frozen=True)
class About:
    """What a page says of where its policy comes from; plain text throughout."""

    name: str
    """Of the run or the checkpoint."""
    facts: dict[str, str]
    """Shown at the top, name and value."""
    details: dict[str, str]
    """Long texts that are folded up at the end, such as the configuration."""


def page(about: About, found: Trials, robot: Robot, walks: bool, video: bytes | str) -> str:
    """Return the page.

    Args:
        about: where the policy comes from.
        found: what the trials found.
        robot: the robot in them.
        walks: whether Hwangbo 2019's numbers stand beside.
        video: an mp4 file's bytes, or why there is none.
    """
    sections = [
        _section("evaluation", "Evaluation", _evaluation(found, walks)),
        _section("tracking", "Tracking", _tracking(found.tracking)) if found.tracking else "",
        *_steady_sections(found.steady, robot),
        _section("pushes", "Push recovery", _pushes(found.pushes, found.steady)),
    ]
    if about.details:
        folded = "".join(map(_folded, about.details.items()))
        sections.append(_section("provenance", "Provenance", folded))
    facts = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in about.facts.items())
    title = escape(about.name)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: Trot report</title>
<style>{STYLE}</style>
</head>
<body>
<header><p>Trot report</p><h1>{title}</h1></header>
<main>
{_tiles(found, walks)}
<section id="summary" class="pair">{_video(video)}<dl>{facts}</dl></section>
{"".join(sections)}
</main>
</body>
</html>
"""


def _tiles(found: Trials, walks: bool) -> str:
    """The few numbers that sum it up."""
    tiles = []
    for name, label in (("lin_vel_error", "velocity error"), ("yaw_rate_error", "yaw rate error")):
        paper = f"Hwangbo 2019: {HWANGBO_2019[name]} {UNITS[name]}" if walks else ""
        tiles.append((_mean(found, name), UNITS[name], label, paper))
    falls, episodes = found.evaluation["fall_rate"]["mean"], found.evaluation["episodes"]
    tiles.append((f"{round(falls * episodes)}", f"of {episodes}", "robots fell", ""))
    feet = found.steady.footfalls
    if walks and feet is not None:
        pace = f"{feet.frequency.mean():.2f} Hz, duty factor {feet.duty.mean():.2f}"
        tiles.append((feet.gait, "", "gait", pace))
    held = found.pushes.withstood_size()
    size = f"{held:g}" if held else f"< {found.pushes.sizes[0]:g}"
    tiles.append((size, "m/s", "push withstood", "by at least 90 %"))
    cells = (
        f"<li><b>{escape(value)}</b> {escape(unit)}<span>{escape(label)}</span>"
        f"<small>{escape(note)}</small></li>"
        for value, unit, label, note in tiles
    )
    return f'<ul class="tiles">{"".join(cells)}</ul>'


def _mean(found: Trials, name: str) -> str:
    mean = found.evaluation[name]["mean"]
    return "none" if mean is None else f"{mean:.3f}"


def _video(video: bytes | str) -> str:
    if isinstance(video, str):
        return f'<p class="video">There is no video: {escape(video)}</p>'
    data = base64.b64encode(video).decode()
    source = f"data:video/mp4;base64,{data}"
    return f'<video class="video" controls loop muted playsinline src="{source}"></video>'


def _evaluation(found: Trials, walks: bool) -> str:
    results = found.evaluation
    head, *rows = table(results, walks)
    rows = [[label[0].upper() + label[1:], *cells] for label, *cells in rows]
    text = (
        f"{results['episodes']} robots, seed {results['seed']}; means over the robots with "
        "bootstrap intervals, over every control step until a fall, transients included."
    )
    if walks:
        text += " Hwangbo et al. 2019 measured their learned policy on a real ANYmal B."
    return _beside(_table(head, rows), _note(text))


def _tracking(errors: Tracking) -> str:
    fewest, most = errors.samples.min(), errors.samples.max()
    text = (
        "Mean errors in the evaluation by the command in force, transients included; sideways "
        f"speeds are mixed. A bin holds {fewest} to {most} commands."
    )
    return figures.tracking(errors) + _note(text)


def _steady_sections(steady: Steady, robot: Robot) -> Iterable[str]:
    """Gait, base and joints of the robot under a steady command."""
    gait = "" if steady.footfalls is None else f": {steady.footfalls.gait}"
    sections = {"gait": f"Gait{gait}", "base": "Base", "joints": "Joints"}
    if steady.footfalls is None:
        for name, title in sections.items():
            fell = _note(f"Told {_told(steady)}, the robot fell after {steady.fell:.2f} s.")
            yield _section(name, title, fell)
        return
    end = trials.SETTLE + len(steady.recording.alive) * steady.recording.dt
    where = f"One robot told {_told(steady)}, {trials.SETTLE:g} s to {end:g} s after its start"
    if steady.fell is not None:
        where += ", when it fell"
    bodies = (_gait(steady, robot, where), _base(steady, where), _joints(steady, robot, where))
    for (name, title), body in zip(sections.items(), bodies, strict=True):
        yield _section(name, title, body)


def _gait(steady: Steady, robot: Robot, where: str) -> str:
    feet = steady.footfalls
    assert feet is not None
    head = ["foot", "duty factor", "stride frequency (Hz)", f"phase after {robot.legs[0]}"]
    head.append("regularity")
    rows = [
        [leg, f"{duty:.2f}", f"{frequency:.2f}", _percent(phase), _percent(regularity)]
        for leg, duty, frequency, phase, regularity in zip(
            robot.legs, feet.duty, feet.frequency, feet.phase, feet.regularity, strict=True
        )
    ]
    text = (
        f"{where}; bars are stances, the gait's name comes from the phases. A phase is the mean "
        f"touchdown as a share of {robot.legs[0]}'s stride; its regularity is 100\u00a0% where all "
        "are alike. A contact or a gap under 0.04 s is no step here, while the evaluation's "
        "stride frequency counts every touchdown."
    )
    return figures.footfall_diagram(steady, robot) + _beside(_table(head, rows), _note(text))


def _base(steady: Steady, where: str) -> str:
    return figures.body_motion(steady) + _note(f"{where}.")


def _joints(steady: Steady, robot: Robot, where: str) -> str:
    r, shares = steady.recording, trials.limit_shares(steady)
    head = ["joint", "position (rad)", "of its range", "speed (rad/s)", "of its limit"]
    head += ["torque (N·m)", "of its limit", "torque, RMS"]
    rows = []
    for j, name in enumerate(robot.joints):
        position, torque = r.joint_pos[:, 0, j], r.torque[:, 0, j]
        rows.append(
            [
                name,
                f"{position.min():.2f} to {position.max():.2f}".replace("-", "−"),
                _percent(shares["position"][j]),
                f"{np.abs(r.joint_vel[:, 0, j]).max():.2f}",
                _percent(shares["speed"][j]),
                f"{np.abs(torque).max():.1f}",
                _percent(shares["torque"][j]),
                f"{np.sqrt((torque**2).mean()):.1f}",
            ]
        )
    text = (
        f"{where}, at {1 / r.dt:g} Hz; dashed: limits ({_span(robot.speed_limit)} rad/s, "
        f"{_span(robot.torque_limit)} N·m, ends of a range where they are near). Largest values; "
        "of a range, from its middle (0\u00a0%) to its ends (100\u00a0%). The simulation limits "
        "torques, not speeds."
    )
    return figures.joints(steady, robot) + _beside(_table(head, rows), _note(text))


def _span(limits: np.ndarray) -> str:
    """What limits are, as in '80' where they are all the same, or '23.7 to 35.5'."""
    low, high = limits.min(), limits.max()
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _pushes(pushes: Pushes, steady: Steady) -> str:
    early = len(pushes.sizes) * len(pushes.directions) * trials.PUSHED - pushes.robots.sum()
    text = (
        f"Robots told {_told(steady)} get a horizontal jump of their velocity, feet and all, "
        f"{trials.SETTLE:g} s after a random start; the colour is the share still up "
        f"{trials.RECOVERY:g} s later of {trials.PUSHED} robots for each size and direction, the "
        "curve that over all directions."
    )
    if early:
        text += f" Left out, since they fell before their push: {early}."
    return figures.push_map(pushes) + _note(text)


def _told(steady: Steady) -> str:
    """What the robot is told, as in 'told to …'."""
    x, y, yaw = steady.command
    if not any(steady.command):
        return "to stand"
    parts = [f"{x:g} m/s forward", f"{y:g} m/s leftward", f"{yaw:g} rad/s of turning"]
    named = [part for part, value in zip(parts, steady.command, strict=True) if value]
    return f"to walk at {', '.join(named)}"


def _section(name: str, title: str, body: str) -> str:
    return f'<section id="{name}"><h2>{title}</h2>{body}</section>\n'


def _folded(named: tuple[str, str]) -> str:
    name, text = named
    return f"<details><summary>{escape(name)}</summary><pre>{escape(text)}</pre></details>"


def _note(text: str) -> str:
    return f'<p class="note">{escape(text)}</p>'


def _beside(table: str, note: str) -> str:
    return f'<div class="beside">{table}{note}</div>'


def _table(head: list[str], rows: list[list[str]]) -> str:
    titles = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    lines = (
        f'<tr><th scope="row">{escape(first)}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        + "</tr>"
        for first, *cells in rows
    )
    return f"<table><thead><tr>{titles}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}\u00a0%" if np.isfinite(share) else "none"
