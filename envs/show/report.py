"""A report of a policy: one HTML page that needs nothing but itself."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from envs.judge import trials
from envs.judge.protocol import Act, references, table
from envs.judge.trials import Pushes, Steady, Tracking, Trials
from envs.mdp.commands import VELOCITY, Commands
from envs.mdp.footfalls import asked
from envs.mdp.gait_commands import FOOTFALL
from envs.mdp.measures import Measure
from envs.mdp.strides import BOUNCE
from envs.show import figures
from envs.show.video import Actor, Video, video_bytes
from envs.task import TaskConfig
from robots import Robot, get_robot

PAGE = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
).get_template("report.html.jinja")
"""Names, configurations and diffs are text, whatever is in them."""


WORDS = {"lin_vel_x": "forward", "lin_vel_y": "leftward", "yaw_rate": "of turning"}
"""What a velocity is of, by the command's entry."""


@dataclass(frozen=True)
class About:
    """What a page says of where its policy comes from; plain text throughout."""

    name: str
    """Of the run or the checkpoint."""
    facts: dict[str, str]
    """Shown at the top, name and value."""
    details: dict[str, str]
    """Long texts that are folded up at the end, such as the configuration."""


@dataclass(frozen=True)
class Tile:
    """One of the few numbers that sum a policy up."""

    value: str
    unit: str
    label: str
    note: str


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


@dataclass(frozen=True)
class Tried:
    """What a policy is put through."""

    robot: str
    """A robot of `robots.ROBOTS`."""
    task: TaskConfig
    """As `envs.task.as_judged` gives it."""
    episodes: int
    """Robots of the protocol."""
    seed: int
    """Of every environment."""
    video: Video
    """How its video is made."""


def make(
    about: About,
    agent: Callable[[int], Act],
    tried: Tried,
    actor: Callable[[Act], Actor],
    say: Callable[[str], None] = lambda doing: None,
) -> str:
    """Put a policy through its trials, make a video of it, and return the page.

    Args:
        about: where the policy comes from.
        agent: makes the policy for a number of robots.
        tried: what it is put through.
        actor: makes who is shown, from a policy for one robot.
        say: told what is being done.
    """
    found = trials.run(agent, tried.task, tried.robot, tried.episodes, tried.seed, say)
    say(f"video of {tried.video.seconds:g} s")
    video = video_bytes([actor(agent(1))], tried.video)
    say("page")
    return page(about, found, get_robot(tried.robot), tried.task, video)


def page(about: About, found: Trials, robot: Robot, task: TaskConfig, video: bytes | str) -> str:
    """Return the page.

    Args:
        about: where the policy comes from.
        found: what the trials found.
        robot: the robot in them.
        task: what it was put through.
        video: an mp4 file's bytes, or why there is none.
    """
    return PAGE.render(
        name=about.name,
        facts=about.facts,
        details=about.details,
        tiles=list(_tiles(found, task.measures)),
        sections=list(_sections(found, robot, task)),
        video=base64.b64encode(video).decode() if isinstance(video, bytes) else None,
        no_video=video if isinstance(video, str) else None,
    )


def _tiles(found: Trials, measures: dict[str, Measure]) -> Iterator[Tile]:
    episodes = found.evaluation["episodes"]
    for name, label in (("lin_vel_error", "velocity error"), ("yaw_rate_error", "yaw rate error")):
        mean = found.evaluation.get(name, {}).get("mean")
        if mean is None:
            continue
        measure = measures[name]
        note = f"mean of {_robots(episodes)}"
        if measure.reference is not None:
            note += f"; {measure.source}: {measure.reference} {measure.unit}"
        yield Tile(f"{mean:.3f}", measure.unit, label, note)
    if "fall_rate" in found.evaluation:
        falls = found.evaluation["fall_rate"]["mean"] * episodes
        yield Tile(f"{round(falls)}", f"of {episodes}", "robots fell", "")
    feet = found.steady.footfalls
    if any(found.steady.command) and feet is not None:
        pace = f"one robot: {feet.frequency.mean():.2f} Hz, duty factor {feet.duty.mean():.2f}"
        wanted = asked(found.steady.recording.command_names, np.array(found.steady.command))
        pace += f"; asked: {wanted}" if wanted is not None else ""
        yield Tile(feet.gait, "", "gait", pace)
    pushes = found.pushes
    held = pushes.withstood_size()
    size = f"{held:g}" if held else f"< {pushes.sizes[0]:g}"
    alike = len(pushes.directions) * trials.PUSHED
    yield Tile(size, "m/s", "push withstood", f"by at least 90 % of {_robots(alike)}")


def _sections(found: Trials, robot: Robot, task: TaskConfig) -> Iterator[Section]:
    yield _evaluation(found, task.measures)
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
    yield _pushes(found.pushes, what)


def _evaluation(found: Trials, measures: dict[str, Measure]) -> Section:
    results = found.evaluation
    head, *rows = table(results, measures)
    rows = [[label[0].upper() + label[1:], *cells] for label, *cells in rows]
    text = (
        f"{_robots(results['episodes'])}, seed {results['seed']}; means over the robots with "
        "95 % intervals (bootstrap; of shares Wilson's), over every control step until a fall, "
        "transients included."
    )
    if "Hwangbo 2019" in references(measures):
        text += " Hwangbo et al. 2019 measured their learned policy on a real ANYmal B."
    return Section("evaluation", "Evaluation", text, table=(head, *rows))


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
    early = len(pushes.sizes) * len(pushes.directions) * trials.PUSHED - pushes.robots.sum()
    text = (
        f"Robots told {what} get a horizontal jump of their velocity, feet and all, "
        f"{trials.SETTLE:g} s after a random start; the colour is the share still up "
        f"{trials.RECOVERY:g} s later of {_robots(trials.PUSHED)} for each size and direction, "
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


def _robots(n: int) -> str:
    return "1 robot" if n == 1 else f"{n} robots"


def _span(limits: np.ndarray) -> str:
    """The joints' limits, as one number where it is one."""
    low, high = limits.min(), limits.max()
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}\u00a0%" if np.isfinite(share) else "none"
