"""A report of a policy: one HTML page that needs nothing but itself."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from envs.judge import speeds, trials
from envs.judge.protocol import Act
from envs.judge.trials import Trials
from envs.mdp.gaits.footfalls import asked
from envs.mdp.measures import Measure
from envs.show.report import sections
from envs.show.report.sections import count_robots
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
        sections=list(sections.of(found, robot, task)),
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
        note = f"mean of {count_robots(episodes)}"
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
    if found.speeds is not None:
        yield Tile(f"{found.speeds['held']:.2f}", "m/s", "forward speed held", speeds.TOLD)
    if found.rising is not None:
        risen = found.rising.quantiles()
        yield Tile(f"{risen['upright']:.1%}", "", "got up", f"of {count_robots(episodes)}")
        yield Tile(f"{risen['median']:.2f}", "s", "time to be upright", "half of all robots")
    pushes = found.pushes
    if pushes is None:
        return
    held = pushes.withstood_size()
    size = f"{held:g}" if held else f"< {pushes.sizes[0]:g}"
    alike = len(pushes.directions) * trials.PUSHED
    yield Tile(size, "m/s", "push withstood", f"by at least 90 % of {count_robots(alike)}")
