"""Watch or judge a policy: `python play.py RUN --video FILE.mp4`, or `--evaluate`."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import gymnasium
import tyro
from gymnasium.vector import VectorEnv
from rich.console import Console
from rich.table import Table

import envs
from algos.playing import agents, sources
from algos.playing.agents import Act, AgentName
from algos.playing.sources import labels
from algos.playing.watching import Watching
from algos.rollout.environments import make_vec
from algos.runs import provenance
from algos.runs.files import whole
from algos.training.evaluate import evaluate
from algos.training.memory import require_memory
from algos.training.options import require
from envs import playable, tasks
from envs.judge import deployment, protocol, replay
from envs.render.gl import OpenGLError, prepare
from envs.show.live import Live
from envs.show.rendering import rendering_env
from envs.show.video import Actor, Video, write_gif, write_video
from envs.show.viewer import check_display, watch
from envs.sim.scene import ContactModel
from envs.task import TaskConfig, as_judged, with_command
from envs.vector import LocomotionVectorEnv
from robots import get_robot

ROBOT = "anymal_c"
ENDLESS = 1e6
"""Episode length of a live simulation (s): only a fall ends it."""
RECORDED = 800
"""Bytes of a control step of a robot in an evaluation."""
REPORT_VIDEO = Video(seconds=10.0, size=(640, 360))
"""The video in a report."""


@dataclass(frozen=True)
class Play(Watching):
    """Make a video of a policy, judge it, or watch it live."""

    ACTING: ClassVar[tuple[str, ...]] = (*Watching.ACTING, "report", "viewer", "web")
    NEEDS: ClassVar[dict[str, tuple[str, ...]]] = {
        **Watching.NEEDS,
        **dict.fromkeys(("host", "port"), ("web",)),
        "episodes": ("evaluate", "report"),
    }
    SUFFIXES: ClassVar[dict[str, tuple[str, ...]]] = {**Watching.SUFFIXES, "report": (".html",)}

    report: Path | None = None
    """Write an .html page that explains a trot/ policy: evaluation, gait, joints, pushes, video."""
    replay_nan: Path | None = None
    """Repeat a simulation that went wrong in a training, from a file in RUN/faults, say where it
    diverges, and show it with --video (by default at a quarter of its speed)."""
    viewer: bool = False
    """Open MuJoCo's interactive viewer (trot/ tasks, where there is a display)."""
    web: bool = False
    """Serve a page that shows the policy live in a browser (trot/ tasks)."""
    host: str = "127.0.0.1"
    """Address where --web listens; by default only for browsers on this computer."""
    port: int = 8080
    """Port where --web listens; 0 for any that is free."""
    robot: str | None = None
    """Robot of a trot/ task, in place of the one that the policy learned on."""
    contact: ContactModel | None = None
    """Friction cones of a trot/ task: pyramidal (fast) or elliptic (a check)."""
    command: tuple[float, ...] | None = None
    """One command throughout, a number an entry: for walking forward and leftward speed (m/s) and
    yaw rate (rad/s)."""
    randomize: bool = False
    """Random start states, models and sensor noise in a trot/ task."""

    def __post_init__(self) -> None:
        """Raise ValueError for a value out of bounds, or an option without effect."""
        if self.replay_nan is None:
            super().__post_init__()
        elif self.source:
            raise ValueError("--replay-nan FILE plays that file alone: leave the run out")
        require(0 <= self.port <= 65535, "port", self.port, "in 0 to 65535")
        finite = self.command is None or all(abs(v) <= 1e3 for v in self.command)
        require(finite, "command", self.command, "numbers in [-1000, 1000]")
        if self.viewer and self.web:
            raise ValueError("--viewer and --web: give one of them")

    @property
    def trot_only(self) -> list[str]:
        """Options given that only a trot/ task has, as flags."""
        names = ("robot", "contact", "command", "randomize", "report", "viewer", "web")
        return [f"--{name}" for name in names if getattr(self, name)]


@dataclass(frozen=True)
class Subject:
    """What is played: an environment, and a checkpoint's content where there is one."""

    env_id: str
    content: dict[str, Any] | None = None
    robot: str = ROBOT
    task: TaskConfig | None = None
    """Definition of a trot/ task, as its protocol has it; None for any other id."""

    def make(self, n: int) -> VectorEnv:
        """Make n environments."""
        prepare(self.env_id)
        if self.task is None:
            return make_vec(self.env_id, n)
        return make_vec(self.env_id, n, robot=self.robot, config=self.task)

    def policy(self) -> dict[str, Any]:
        """Return the checkpoint's content.

        Raises:
            ValueError: there is none.
        """
        if self.content is None:
            raise ValueError(f"{self.env_id!r} is an environment: give a run or a checkpoint")
        return self.content


def main(arguments: list[str]) -> None:
    """Parse, find what is played, and play it."""
    options = tyro.cli(Play, args=arguments)
    check_outputs(options)
    if options.replay_nan is not None:
        replay_fault(options, options.replay_nan)
        return
    subjects = [find_subject(options, source) for source in options.sources]
    subject = subjects[0]
    check_memory(options, subject)
    if options.evaluate:
        judge(options, subject)
    if options.save is not None:
        origin = provenance.origin(Path(options.sources[0]), subject.policy())
        sources.save_policy(subject.policy() | origin, options.save)
        say("policy", options.save)
    if options.export is not None:
        export_policy(subject, options.export)
    if options.report is not None:
        write_report(options, subject, options.report)
    if options.video is not None:
        make_video(options, subjects, options.video)
    if options.viewer or options.web:
        watch_live(options, subject)


def replay_fault(options: Play, path: Path) -> None:
    """Say where a recorded simulation diverges, and make a video of it if a file is given."""
    fault = replay.load(path)
    again = replay.Replay(fault)
    Console().print(again.explain(), soft_wrap=True, markup=False, highlight=False)
    again.close()
    if options.video is not None:
        speed = 0.25 if options.slow == 1 else options.slow
        actor = Actor(
            partial(replay.rendering, fault), agents.zero_agent(again.single_action_space, 1)
        )
        video = Video(again.seconds, size=options.size, speed=speed, scheduled=False)
        with whole(options.video) as draft:
            write_video(draft, [actor], video)
        say("video", options.video)


def check_outputs(options: Play) -> None:
    """Raise ValueError unless files can be written, windows opened and pages served."""
    options.check_files()
    if options.viewer:
        check_display()
    if options.web:
        from envs.show import web  # takes a second

        web.check_address(options.host, options.port)


def check_memory(options: Play, subject: Subject) -> None:
    """Raise ValueError where this machine cannot hold an evaluation's recording."""
    if subject.task is not None and (options.evaluate or options.report):
        seconds, dt = subject.task.episode_length, subject.task.simulation.dt
        what = f"a recording of --episodes {options.episodes} of {seconds:g} s"
        needed = RECORDED * options.episodes * seconds / dt
        require_memory(needed, what, "take fewer or shorter ones")


def say(what: str, path: Path) -> None:
    """Tell the user of a file that was written."""
    Console().print(f"{what}: {path}", soft_wrap=True, markup=False, highlight=False)


def find_subject(options: Play, source: str | None = None) -> Subject:
    """Return what a source names, by default the first one.

    Raises:
        ValueError: neither a run, a checkpoint file nor an id; or a damaged checkpoint.
    """
    source = source or options.sources[0]
    content = sources.load(source, options.checkpoint)
    env_id = content["env_id"] if content else source
    if content is not None and env_id in envs.IDS and not content.get("play"):
        content["play"] = playable.upgraded(content["env"])
    if env_id not in envs.IDS:
        if given := " and ".join(options.trot_only):
            raise ValueError(f"{given}: for trot/ tasks, not for {env_id!r}")
        return Subject(env_id, content)
    learned_on = content["robot"] if content else None
    robot = options.robot or learned_on or ROBOT
    return Subject(env_id, content, robot, _task(options, env_id, robot, content))


def _task(options: Play, env_id: str, robot: str, content: dict[str, Any] | None) -> TaskConfig:
    """Return the definition of a trot/ task that the policy knows, under its protocol."""
    task = tasks.make(envs.IDS[env_id], get_robot(robot))
    if content:
        task = playable.restore(task, content["play"])
    if options.contact:
        task = replace(task, simulation=replace(task.simulation, contact=options.contact))
    task = as_judged(task, options.randomize)
    if options.command:
        task = with_command(task, options.command)
    return replace(task, episode_length=options.seconds) if options.seconds else task


def make_agent(options: Play, subject: Subject, n: int) -> Act:
    """Return who acts in n environments."""
    environment = subject.make(1)
    environment.close()
    content, seed = subject.content, options.seed
    return agents.make_agent(options.acting, content, environment, n, seed, options.device)


def judge(options: Play, subject: Subject) -> None:
    """Print the evaluation, and write it as JSON if a file is given."""
    episodes, seed = options.episodes, options.seed
    n = episodes if subject.task else min(episodes, 10)
    act = make_agent(options, subject, n)
    if subject.task is not None:
        results = protocol.evaluate(act, subject.task, subject.robot, episodes, seed)
        head, *rows = protocol.table(results, subject.task.measures)
    else:
        environment = subject.make(n)
        results: dict[str, Any] = {**evaluate(act, environment, episodes, seed), "seed": seed}
        environment.close()
        head, rows = ["", "value"], [[n.replace("_", " "), f"{v:.6g}"] for n, v in results.items()]
    title = f"{subject.env_id}: {results['episodes']:g} episodes, seed {seed}"
    table = Table(*head, title=title, min_width=len(title))
    for row in rows:
        table.add_row(*row)
    Console().print(table)
    if options.json is not None:
        with whole(options.json) as draft:
            draft.write_text(json.dumps(results, indent=2) + "\n")


def export_policy(subject: Subject, path: Path) -> None:
    """Write the policy, its normaliser and scales for other programs, with what they must know."""
    try:
        from algos.playing.export import (  # takes a second, and an extra's packages
            DeployedPolicy,
            export,
        )
    except ImportError as error:
        raise ValueError(f"--export: {error}; pip install --editable '.[export]'") from error
    content, environment = subject.policy(), subject.make(1)
    agent = agents.load_agent(content, environment, "cpu")
    metadata: dict[str, Any] = {"env_id": subject.env_id}
    target = None
    if isinstance(environment, LocomotionVectorEnv):
        metadata |= deployment.description(environment)
        target = deployment.control_law(environment)
    environment.close()
    export(DeployedPolicy(agent.policy, agent.normalizer, target), path, metadata)
    say("policy", path)


def make_video(options: Play, subjects: Sequence[Subject], path: Path) -> None:
    """Write the video that the options ask for."""
    rows, columns = options.tiles
    names = labels(options.sources)
    if options.acting != "trained" and len(names) > 1:
        names = [options.acting] * len(names)
    actors = [
        _actor(subject, make_agent(options, subject, rows * columns), name)
        for subject, name in zip(subjects, names, strict=True)
    ]
    seconds, scheduled = options.seconds or Video.seconds, options.command is None
    video = Video(seconds, options.seed, options.size, options.slow, scheduled, (rows, columns))
    with whole(path) as draft:
        write_video(draft, actors, video, title=path.name)
    say("video", path)
    if options.gif:
        write_gif(path, path.with_suffix(".gif"))
        say("video", path.with_suffix(".gif"))


def _actor(subject: Subject, act: Act, label: str = "") -> Actor:
    make = partial(rendering_env, make_vec, subject.env_id, subject.robot, subject.task)
    return Actor(make, act, label)


def write_report(options: Play, subject: Subject, path: Path) -> None:
    """Write one page with all that a trot/ policy's trials and a video show."""
    from envs.judge import trials  # matplotlib takes a second
    from envs.show import report

    task, source, acting = subject.task, Path(options.sources[0]), options.acting
    assert task is not None
    facts = {"Task": subject.env_id, "Robot": subject.robot, "Agent": acting}
    for name in ("contact", "command", "randomize"):
        if getattr(options, name):
            facts[name.capitalize()] = str(getattr(options, name))
    told, details = provenance.tell(source, subject.content if acting == "trained" else None)
    about = report.About(source.resolve().name, facts | told, details)

    def agent(n: int) -> Act:
        return make_agent(options, subject, n)

    with Console().status("") as status:
        found = trials.run(
            agent, task, subject.robot, options.episodes, options.seed, status.update
        )
        status.update(f"video of {REPORT_VIDEO.seconds:g} s")
        video = _report_video(options, subject, agent(1))
        status.update("page")
        page = report.page(about, found, get_robot(subject.robot), task, video)
    with whole(path) as draft:
        draft.write_text(page, encoding="utf-8")
    say("report", path)


def _report_video(options: Play, subject: Subject, act: Act) -> bytes | str:
    """Return a video of the policy, or why this machine cannot make one."""
    video = replace(REPORT_VIDEO, seed=options.seed, scheduled=options.command is None)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.mp4"
        try:
            write_video(path, [_actor(subject, act)], video)
        except OpenGLError as error:
            return str(error)
        return path.read_bytes()


def watch_live(options: Play, subject: Subject) -> None:
    """Show the policy live, in a browser or in MuJoCo's viewer, under commands given there."""
    own = replace(options, command=None)  # with the task's own limits
    task = _task(own, subject.env_id, subject.robot, subject.content)
    endless = replace(task, episode_length=options.seconds or ENDLESS)
    environment = replace(subject, task=endless).make(1)
    assert isinstance(environment, LocomotionVectorEnv)
    live = Live(environment, *live_agents(options, subject), options.seed, options.command)
    if options.viewer:
        watch(live)
    else:
        from envs.show import web

        web.serve(live, options.host, options.port)


def live_agents(options: Play, subject: Subject) -> tuple[dict[str, Callable[[], Act]], str]:
    """Return what loads each agent that can act, by its name, and the one that starts."""

    def agent(name: AgentName, load: Callable[[], Any] = lambda: None) -> Callable[[], Act]:
        chosen = replace(options, agent=name)
        return lambda: make_agent(chosen, replace(subject, content=load()), 1)

    found = sources.checkpoints(options.sources[0], subject.content)
    able = {name: agent("trained", load) for name, load in found.items()}
    able |= {"zero": agent("zero"), "random": agent("random")}
    if options.acting != "trained":
        return able, options.acting
    return able, options.checkpoint if options.checkpoint in able else next(iter(able))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (ValueError, OSError, OpenGLError, gymnasium.error.Error) as problem:
        print(f"error: {problem}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
