"""The parts of a report: what each shows, and how it was measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from envs.judge import paper, speeds, trials
from envs.judge.protocol import references, table
from envs.judge.rising import Rising
from envs.judge.trials import Pushes, Steady, Tracking, Trials
from envs.mdp.commands import VELOCITY, Commands
from envs.mdp.gaits.commanded import FOOTFALL
from envs.mdp.gaits.footfalls import asked
from envs.mdp.gaits.strides import BOUNCE
from envs.mdp.measures import Measure
from envs.mdp.recovery import POSE
from envs.show.report import figures
from envs.task import TaskConfig
from robots import Robot

WORDS = {"lin_vel_x": "forward", "lin_vel_y": "leftward", "yaw_rate": "of turning"}
"""What a velocity is of, by the command's entry."""


@dataclass(frozen=True)
class Section:
    """A part of the page."""

    name: str
    """Its id."""
    title: str
    note: str
    """What is shown, and how it was measured."""
    figure: str = ""
    """An svg element, set into the page as it is."""
    table: tuple[list[str], ...] = ()
    """The head, then rows whose first cell names them."""


def of(found: Trials, robot: Robot, task: TaskConfig) -> Iterator[Section]:
    """Give the parts that a policy's task has."""
    yield _evaluation(found, task.measures)
    if found.speeds is not None:
        yield _speeds(found.speeds)
    if found.rising is not None:
        yield _rising(found.rising)
    skill = found.speeds is not None or found.rising is not None
    if skill or references(task.measures):
        yield from _paper(paper.rows(_figures(found)))
    if found.tracking is not None:
        yield _tracking(found.tracking)
    what = told(found.steady.command, task.commands)
    if found.steady.footfalls is None:
        fell = f"Told {what}, the robot fell after {found.steady.fell:.2f} s."
        for title in ("Gait", "Base", "Joints"):
            yield Section(title.lower(), title, fell)
    else:
        where = _where(found.steady, what)
        yield _gait(found.steady, robot, where)
        yield Section("base", "Base", f"{where}.", figures.body_motion(found.steady))
        yield _joints(found.steady, robot, where)
    if found.pushes is not None:
        yield _pushes(found.pushes, what)


def _evaluation(found: Trials, measures: dict[str, Measure]) -> Section:
    results = found.evaluation
    head, *rows = table(results, measures)
    rows = [[label[0].upper() + label[1:], *cells] for label, *cells in rows]
    text = (
        f"{count_robots(results['episodes'])}, seed {results['seed']}; means over the robots with "
        "95 % intervals (bootstrap; of shares Wilson's), over every control step until a fall, "
        "transients included."
    )
    if "Hwangbo 2019" in references(measures):
        text += " Hwangbo et al. 2019 measured their learned policy on a real ANYmal B."
    return Section("evaluation", "Evaluation", text, table=(head, *rows))


def _speeds(found: dict[str, Any]) -> Section:
    text = (
        f"{speeds.TOLD} after {speeds.SETTLE:g} s to get there, from random starts: the forward "
        f"speed, averaged over {speeds.WINDOW:g} s, that {speeds.LEVEL:.0%} of the robots never "
        f"fall below; a robot that falls holds none. The highest is {found['held']:.2f} m/s."
    )
    drawn = figures.speed_ladder(found)
    return Section("speeds", "Running", text, drawn, tuple(speeds.table(found)))


def _rising(rising: Rising) -> Section:
    text = (
        f"{count_robots(len(rising.upright))}, dropped in any orientation. Upright is a base that "
        f"leans less than {np.degrees(POSE['tilt']):.0f}°, in the nominal stance with every joint "
        f"within {POSE['joint']:g} rad of its nominal position, both to the end; times count from "
        "the drop."
    )
    return Section("rising", "Getting up", text, figures.rising_curves(rising))


def _figures(found: Trials) -> dict[str, Any]:
    """Return what `envs.judge.paper.judge` gives."""
    risen = found.rising.quantiles() if found.rising is not None else {}
    return found.evaluation | (found.speeds or {}) | risen


def _paper(rows: list[tuple[str, str, str]]) -> Iterator[Section]:
    if not rows:
        return
    text = (
        f"{paper.SOURCE} (arXiv 1901.08652): numbers of the real ANYmal B unless they are said to "
        "be simulated, beside this policy's in simulation."
    )
    head = ["", "paper", "here"]
    yield Section("paper", paper.SOURCE, text, table=(head, *(list(row) for row in rows)))


def _tracking(errors: Tracking) -> Section:
    fewest, most = errors.samples.min(), errors.samples.max()
    text = (
        "Mean errors in the evaluation by the command in force, transients included; sideways "
        f"speeds are mixed. A bin holds {fewest} to {most} commands."
    )
    return Section("tracking", "Tracking", text, figures.tracking(errors))


def _gait(steady: Steady, robot: Robot, where: str) -> Section:
    feet = steady.footfalls
    assert feet is not None
    first = robot.legs[0]
    head = ["foot", "duty factor", "stride frequency (Hz)", f"phase after {first}", "regularity"]
    rows = [
        [leg, f"{duty:.2f}", f"{frequency:.2f}", _percent(phase), _percent(regularity)]
        for leg, duty, frequency, phase, regularity in zip(
            robot.legs, feet.duty, feet.frequency, feet.phase, feet.regularity, strict=True
        )
    ]
    text = (
        f"{where}; bars are stances, the gait's name comes from the phases. A phase is the mean "
        f"touchdown as a share of {first}'s stride; its regularity is 100\u00a0% where all "
        f"are alike. A contact or a gap under {BOUNCE:g} s is a bounce and no step, here as in the "
        "evaluation."
    )
    diagram = figures.footfall_diagram(steady, robot.legs)
    wanted = asked(steady.recording.command_names, np.array(steady.command))
    title = f"Gait: {feet.gait}" + (f", asked: {wanted}" if wanted is not None else "")
    return Section("gait", title, text, diagram, (head, *rows))


def _joints(steady: Steady, robot: Robot, where: str) -> Section:
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
    speed, torque = _span(steady.limits["speed"]), _span(steady.limits["torque"])
    text = (
        f"{where}, at {1 / r.dt:g} Hz; dashed: limits ({speed} rad/s, {torque} N·m, ends of a "
        "range where they are near). Largest values; of a range, from its middle (0\u00a0%) to "
        "its ends (100\u00a0%). The simulation limits torques, not speeds."
    )
    drawn = figures.joints(steady, robot.joints, len(robot.legs))
    return Section("joints", "Joints", text, drawn, (head, *rows))


def _pushes(pushes: Pushes, what: str) -> Section:
    alike = count_robots(trials.PUSHED)
    early = len(pushes.sizes) * len(pushes.directions) * trials.PUSHED - pushes.robots.sum()
    text = (
        f"Robots told {what} get a horizontal jump of their velocity, feet and all, "
        f"{trials.SETTLE:g} s after a random start; the colour is the share still up "
        f"{trials.RECOVERY:g} s later of {alike} for each size and direction, "
        "the curve that over all directions."
    )
    if early:
        text += f" Left out, since they fell before their push: {early}."
    return Section("pushes", "Push recovery", text, figures.push_map(pushes))


def _where(steady: Steady, what: str) -> str:
    """Which robot it was that was watched, and when."""
    end = trials.SETTLE + len(steady.recording.alive) * steady.recording.dt
    where = f"One robot told {what}, {trials.SETTLE:g} s to {end:g} s after its start"
    return where if steady.fell is None else f"{where}, when it fell"


def told(command: Sequence[float], commands: Commands) -> str:
    """Return what a command (entries,) tells a robot, as in 'told to …'."""
    named = zip(commands.entries.items(), command, strict=True)
    texts = {
        name: " ".join(filter(None, (f"{value:g}", entry.unit, WORDS.get(name, name))))
        for (name, entry), value in named
        if value and not name.startswith(FOOTFALL)
    }
    moves = [text for name, text in texts.items() if name in VELOCITY]
    others = [text for name, text in texts.items() if name not in VELOCITY]
    if moves:
        moves[0] = f"to walk at {moves[0]}"
    elif set(VELOCITY) <= set(commands.names):
        moves = ["to stand"]
    wanted = asked(commands.names, np.array(command))
    gait = [f"gait {wanted}"] if wanted is not None else []
    return ", ".join(moves + gait + others) or "nothing"


def count_robots(n: int) -> str:
    return "1 robot" if n == 1 else f"{n} robots"


def _span(limits: np.ndarray) -> str:
    """The joints' limits, as one number where it is one."""
    low, high = limits.min(), limits.max()
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}\u00a0%" if np.isfinite(share) else "none"
