"""Watch or judge a policy: `python play.py RUN --video FILE.mp4`, or `--evaluate`."""

from __future__ import annotations

from algos import terminal

if __name__ == "__main__":  # before torch, whose import takes seconds
    terminal.begin()

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any

import rich
from gymnasium.error import DependencyNotInstalled
from rich.table import Table

import envs
from algos.playing import agents, sources
from algos.playing.agents import Act, AgentName
from algos.playing.sources import labels
from algos.rollout.collector import observation_type
from algos.runs import provenance
from algos.runs.files import WriteError, replacing, whole
from algos.training.evaluate import evaluate, side_by_side
from algos.training.memory import require_memory
from algos.usage import UsageError
from envs.hand_over import HandOver
from envs.judge import deployment, gaits, paper, protocol, replay, speeds
from envs.mdp.gaits.commanded import named_gaits
from envs.render.gl import OpenGLError
from envs.show.live import Live
from envs.show.rendering import rendering_env
from envs.show.video import Actor, Video, write_gif, write_video
from envs.show.viewer import check_display, watch
from envs.vector import LocomotionVectorEnv
from robots import get_robot
from robots.usage import UsageError as RobotUsageError
from trot import inspection
from trot.subject import Play, Subject, find_subject, read

ENDLESS = 1e6
"""Episode length of a live simulation (s): only a fall ends it."""
POLICIES = Path(__file__).parent / "policies"
MANY = 6
"""Columns of a table that is printed without rules beyond this, to keep its words whole."""
PAPER = {"command_b.pt": 100, "run_b.pt": 100, "recover_b.pt": 1000, "walk_b.pt": 100}
"""The policies that --paper judges, with the number of their robots; benchmarks/paper.py trains
them. The last one walks on where the one before got the robot up."""
REPORT_VIDEO = Video(seconds=10.0, size=(640, 360))
"""The video in a report."""


def main(arguments: list[str]) -> None:
    """Parse, find what is played, and play it."""
    options, override = read(arguments)
    check_outputs(options)
    if options.replay_nan is not None:
        replay_fault(options, options.replay_nan)
        return
    if options.paper:
        compare_with_paper(options)
        return
    if options.inspect is not None:
        inspection.show(options.inspect, options.out)
        return
    subjects = [find_subject(options, source, override) for source in options.sources]
    subject = subjects[0]
    sources.require_one_task({s.env_id: envs.IDS.get(s.env_id, s.env_id) for s in subjects})
    check_memory(options, subject)
    if options.evaluate:
        evaluate_policy(options, subject)
    if options.save is not None:
        origin = provenance.origin(Path(options.sources[0]), subject.policy())
        sources.save_policy(subject.policy() | origin, options.save)
        print(f"policy: {options.save}", file=terminal.stdout())
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
    print(again.explain())
    again.close()
    if options.video is not None:
        speed = 0.25 if options.slow == 1 else options.slow
        actor = Actor(
            partial(replay.rendering, fault), agents.zero_agent(again.single_action_space, 1)
        )
        video = Video(again.seconds, size=options.size, speed=speed, scheduled=False)
        with whole(options.video) as draft:
            write_video(draft, [actor], video)
        print(f"video: {options.video}", file=terminal.stdout())


def compare_with_paper(options: Play) -> None:
    """Judge the policies that come with the code, and print the paper's table beside theirs."""
    table = Table(paper.SOURCE, "paper", "Trot, ANYmal B", "policy", title="python play.py --paper")
    for name, robots in PAPER.items():
        source = str(POLICIES / name)
        recover = str(POLICIES / "recover_b.pt") if name == "walk_b.pt" else None
        given = replace(
            options, paper=False, source=source, recover=recover, evaluate=True, episodes=robots
        )
        subject = find_subject(given)
        assert subject.task is not None
        with terminal.console().status(f"{name}: {robots} robots"):
            agent = partial(policy_of, given, subject)
            found = paper.judge(agent, subject.task, subject.robot, robots)
        for row in paper.rows(found):
            table.add_row(*row, name)
    terminal.console().print(table)


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
        what = f"a recording of --episodes {options.episodes} of {subject.task.episode_length:g} s"
        needed = protocol.recording_size(subject.task, get_robot(subject.robot), options.episodes)
        require_memory(needed, what, "take fewer or shorter ones")


def policy_of(options: Play, subject: Subject, n: int) -> Act:
    """Return who acts in n environments."""
    environment = subject.make(1)
    environment.close()
    content, seed = subject.content, options.seed
    act = agents.by_name(options.acting, content, environment, n, seed, options.device)
    riser = subject.riser
    if riser is None or options.acting != "trained":
        return act
    assert isinstance(environment, LocomotionVectorEnv)
    assert subject.trained is not None
    assert riser.trained is not None
    return HandOver(
        act,
        policy_of(options, riser, n),
        subject.trained,
        riser.trained,
        environment.robot,
        environment.layout,
        n,
    )


def evaluate_policy(options: Play, subject: Subject) -> None:
    """Write the evaluation as JSON if a file is given, and print it."""
    episodes, seed = options.episodes, options.seed
    n = episodes if subject.task else side_by_side(episodes)
    act = policy_of(options, subject, n)
    title, tables = f"{subject.env_id}: {episodes} episodes, seed {seed}", {}
    if subject.task is not None:
        results = protocol.evaluate(act, subject.task, subject.robot, episodes, seed)
        tables[title] = protocol.table(results, subject.task.measures)
        if subject.task.protocol.speeds and options.command is None:
            agent = partial(policy_of, options, subject)
            results |= speeds.evaluate(agent, subject.task, subject.robot, seed)
            tables[f"{subject.env_id}: {speeds.TOLD}, seed {seed}"] = speeds.table(results)
        if named_gaits(subject.task.commands):
            agent = partial(policy_of, options, subject)
            results |= gaits.evaluate(agent, subject.task, subject.robot, seed)
            tables[f"{subject.env_id}: {gaits.TOLD}, seed {seed}"] = gaits.table(results)
            if results["changes"]:
                tables["changes without a fall"] = gaits.change_table(results)
    else:
        environment = subject.make(n)
        found = {**evaluate(act, environment, episodes, seed), "seed": seed}
        environment.close()
        results: dict[str, Any] = {n: v if isfinite(v) else None for n, v in found.items()}
        if None in results.values():
            print("some rewards are not finite, and so are returns", file=terminal.stderr())
        rows = [[n.replace("_", " "), f"{v:.6g}"] for n, v in found.items()]
        tables[title] = [["", "value"], *rows]
    if options.json is not None:
        if changes := subject.changes(options):
            results["settings"] = changes
        with replacing(options.json) as file:
            file.write((json.dumps(results, indent=2) + "\n").encode())
    for title, (head, *rows) in tables.items():
        many = {"box": None, "padding": (0, 1, 0, 0)} if len(head) > MANY else {}
        table = Table(*head, title=title, min_width=len(title), **many)
        for row in rows:
            table.add_row(*row)
        terminal.console().print(table)


def export_policy(subject: Subject, path: Path) -> None:
    """Write the policy, its normaliser and scales for other programs, with what they must know."""
    try:
        from algos.playing.export import (  # takes a second, and an extra's packages
            DeployedPolicy,
            export,
        )
    except ImportError as error:
        remedy = "pip install -c constraints.txt -e '.[export]'"
        raise UsageError(f"--export: {error}; {remedy}") from error
    content, environment = subject.policy(), subject.make(1)
    agent = agents.load_agent(content, environment, "cpu")
    metadata: dict[str, Any] = {"env_id": subject.env_id}
    target = None
    if isinstance(environment, LocomotionVectorEnv):
        metadata |= deployment.description(environment)
        target = deployment.control_law(environment)
    environment.close()
    kind = observation_type(environment.single_observation_space.dtype)
    export(DeployedPolicy(agent.policy, agent.normalizer, target, kind), path, metadata)
    print(f"policy: {path}", file=terminal.stdout())


def make_video(options: Play, subjects: Sequence[Subject], path: Path) -> None:
    """Write the video that the options ask for."""
    rows, columns = options.tiles
    names = labels(options.sources)
    if options.acting != "trained" and len(names) > 1:
        names = [options.acting] * len(names)
    actors = [
        _actor(subject, policy_of(options, subject, rows * columns), name)
        for subject, name in zip(subjects, names, strict=True)
    ]
    seconds, scheduled = options.seconds or Video.seconds, options.command is None
    how = (options.seed, options.size, options.slow, scheduled)
    video = Video(seconds, *how, schedule=options.schedule, grid=(rows, columns))
    with whole(path) as draft:
        title = f"{path.name}, {seconds / options.slow:g} s long"
        falls = write_video(draft, actors, video, title=title)
    print(f"video: {path}", file=terminal.stdout())
    for name in dict.fromkeys(fall.label for fall in falls):
        first, *more = [fall.seconds for fall in falls if fall.label == name]
        which = "a fall" if not more else f"{len(more) + 1} falls, the first"
        print(f"{name or options.sources[0]}: {which} after {first:.1f} s", file=terminal.stdout())
    if options.gif:
        small = path.with_suffix(".gif")
        with whole(small) as draft:
            write_gif(terminal.absolute(path), draft)
        print(f"video: {small}", file=terminal.stdout())


def _actor(subject: Subject, act: Act, label: str = "") -> Actor:
    make = partial(rendering_env, subject.maker, subject.env_id, subject.robot, subject.task)
    return Actor(make, act, label)


def write_report(options: Play, subject: Subject, path: Path) -> None:
    """Write one page with all that a trot/ policy's trials and a video show."""
    from envs.show import report  # matplotlib takes a second

    task, source, acting = subject.task, Path(options.sources[0]), options.acting
    assert task is not None
    facts = {"Task": subject.env_id, "Robot": subject.robot, "Agent": acting}
    for name in ("contact", "command", "gait", "randomize"):
        if getattr(options, name):
            facts[name.capitalize()] = str(getattr(options, name))
    if changes := subject.changes(options):
        facts["Settings"] = ", ".join(f"{name} {value}" for name, value in changes.items())
    told, details = provenance.tell(source, subject.content if acting == "trained" else None)
    about = report.About(terminal.absolute(source).resolve().name, facts | told, details)
    video = replace(REPORT_VIDEO, seed=options.seed, scheduled=options.command is None)
    tried = report.Tried(subject.robot, task, options.episodes, options.seed, video)
    with terminal.console().status("") as status:
        agent = partial(policy_of, options, subject)
        page = report.make(about, agent, tried, partial(_actor, subject), status.update)
    with replacing(path) as file:
        file.write(page.encode())
    print(f"report: {path}", file=terminal.stdout())


def watch_live(options: Play, subject: Subject) -> None:
    """Show the policy live, in a browser or in MuJoCo's viewer, under commands given there."""
    gaits = named_gaits(subject.trained.commands) if subject.trained is not None else ()
    own = replace(options, command=None)  # with the task's own limits
    if gaits:
        own = replace(own, gait=None)
    endless = subject.judged(own, options.seconds or ENDLESS)
    environment = replace(subject, task=endless).make(1)
    assert isinstance(environment, LocomotionVectorEnv)
    command, seed = options.command, options.seed
    if command is not None:  # with the entries that it leaves out
        command = tuple(subject.judged(options, None).commands.ranges[:, 0].tolist())
    live = Live(environment, *live_agents(options, subject), seed, command, options.schedule)
    if gaits and options.gait is not None and command is None:
        live.ask_gait(options.gait.replace("-", " "))
    if options.viewer:
        watch(live)
    else:
        from envs.show import web

        policy = terminal.absolute(options.sources[0]).resolve().name.removesuffix(".pt")
        web.serve(live, options.host, options.port, policy)


def live_agents(options: Play, subject: Subject) -> tuple[dict[str, Callable[[], Act]], str]:
    """Return what loads each agent that can act, by its name, and the one that starts."""

    def agent(name: AgentName, load: Callable[[], Any] = lambda: None) -> Callable[[], Act]:
        chosen = replace(options, agent=name)
        return lambda: policy_of(chosen, replace(subject, content=load()), 1)

    found = sources.checkpoints(options.sources[0], subject.content)
    able = {name: agent("trained", load) for name, load in found.items()}
    able |= {"zero": agent("zero"), "random": agent("random")}
    if options.acting != "trained":
        return able, options.acting
    return able, options.checkpoint if options.checkpoint in able else next(iter(able))


if __name__ == "__main__":
    expected = UsageError, RobotUsageError, WriteError, OpenGLError, DependencyNotInstalled
    rich.reconfigure(file=terminal.stdout())
    with terminal.program(*expected):
        main(sys.argv[1:])
