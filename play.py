"""Watch or judge a policy: `python play.py RUN --video FILE.mp4`, or `--evaluate`."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import gymnasium
import tyro
from gymnasium.vector import VectorEnv
from rich.console import Console
from rich.table import Table

import envs
from algos import provenance, wandb_models
from algos.agents import Act, load_agent, random_agent, trained_agent, zero_agent
from algos.checkpoint import load_checkpoint, save_checkpoint
from algos.environments import is_id, make_vec, unknown_id
from algos.evaluate import evaluate
from algos.run_directory import RunDirectory, from_plain
from algos.video import SUFFIXES as VIDEO
from algos.video import Player, check_writable, record_video, write_gif
from envs import deployment, protocol, replay, tasks, tour
from envs.config import ContactModel, TaskConfig
from envs.gl import OpenGLError, choose_backend
from envs.live import Live
from envs.vector import LocomotionVectorEnv
from envs.viewer import check_display, watch
from robots import get_robot

ROBOT = "anymal_c"
CONTENT = {"env_id", "robot", "algorithm", "algo_config", "algo"}
"""What a checkpoint must hold to be played."""
ENDLESS = 1e6
"""Episode length of a live simulation (s): only a fall ends it."""


@dataclass(frozen=True)
class Film:
    """How a video is made."""

    seconds: float = 20.0
    """Time that passes in the environment (s)."""
    seed: int = 1
    """Seed of the environments' reset."""
    size: tuple[int, int] = (1280, 720)
    """Width and height of the frames of a trot/ task (pixels), of all tiles together."""
    speed: float = 1.0
    """Below 1 for slow motion."""
    tour: bool = True
    """Whether a locomotion task goes through a round of commands, the same for all."""
    grid: tuple[int, int] = (1, 1)
    """Rows and columns of robots under one policy."""


REPORT_FILM = Film(seconds=10.0, size=(640, 360))
"""The video in a report."""


@dataclass(frozen=True)
class Play:
    """Make a video of a policy, judge it, or watch it live."""

    source: tyro.conf.Positional[str] = ""
    """A run's folder, a checkpoint file, a run in W&B as wandb:ENTITY/PROJECT/RUN, or a Gymnasium
    id with --agent zero or random."""
    agent: Literal["trained", "zero", "random"] | None = None
    """Who acts; by default the trained policy, where the source has one."""
    checkpoint: Literal["best", "last"] = "best"
    """Which checkpoint of a run."""
    video: Path | None = None
    """Write a video here, .mp4 or .gif."""
    gif: bool = False
    """Make a GIF of the video, too, beside it."""
    slow: float = 1.0
    """Speed of the video; 0.25 is slow motion."""
    grid: str = "1x1"
    """Rows and columns of robots in the video; from 2 on each has a start and, unless --command
    gives one, commands of its own."""
    compare: tuple[str, ...] = ()
    """More sources, shown side by side with the first under the same commands."""
    evaluate: bool = False
    """Print how good the policy is; in a trot/ task by the protocol of Hwangbo et al. 2019."""
    save: Path | None = None
    """Write the policy alone here, without what training needs: a small .pt file to share."""
    export: Path | None = None
    """Write the policy here for other programs: .onnx, or .pt2 for torch.export."""
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
    seed: int = 1
    """Seed of the environment and of a random agent."""
    seconds: float | None = None
    """Length of the video (20 s) or of a trot/ evaluation episode (the task's protocol)."""
    episodes: int = 100
    """Episodes of an evaluation."""
    json: Path | None = None
    """Write the evaluation here."""
    robot: str | None = None
    """Robot of a trot/ task, in place of the one that the policy learned on."""
    contact: ContactModel | None = None
    """Contact model of a trot/ task: training (fast) or menagerie (elliptic cones)."""
    command: tuple[float, float, float] | None = None
    """One command throughout: forward and leftward speed (m/s), yaw rate (rad/s)."""
    randomize: bool = False
    """Random start states, models and sensor noise in a trot/ task."""
    size: tuple[int, int] = (1280, 720)
    """Width and height of a trot/ video (pixels)."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where the policy runs; auto takes CUDA where there is one."""

    def __post_init__(self) -> None:
        if self.replay_nan is not None:
            return
        outputs = (self.video, self.report, self.evaluate, self.save, self.export)
        _require(
            any((*outputs, self.viewer, self.web)),
            "nothing to do: give --video FILE, --report FILE, --evaluate, --save FILE, "
            "--export FILE, --viewer or --web",
        )
        _require(
            self.seconds is None or 0 < self.seconds < 1e5,
            f"--seconds is {self.seconds}; it must be positive",
        )
        _require(bool(self.sources), "nothing to play: give a run, a checkpoint or an id")
        lonely = (*outputs[1:], self.viewer, self.web)
        _require(
            len(self.sources) == 1 or not any(lonely),
            "--compare is for --video alone; judge runs one by one",
        )
        _require(
            self.tiles == (1, 1) or len(self.sources) == 1, "give --grid or --compare, not both"
        )
        movie = self.video is not None and self.video.suffix == ".mp4"
        _require(movie or not self.gif, "--gif goes with --video FILE.mp4")
        for name in ("slow", "grid"):
            changed = getattr(self, name) != getattr(Play, name)
            _require(bool(self.video) or not changed, f"--{name} is for --video FILE")
        _require(0.01 <= self.slow <= 1, f"--slow is {self.slow}; it must lie in [0.01, 1]")
        _require(0 <= self.port <= 65535, f"--port is {self.port}; it must be 0 to 65535")
        _require(not (self.viewer and self.web), "--viewer and --web: give one of them")
        _require(self.seed >= 0, f"--seed is {self.seed}; it must be 0 or more")
        _require(self.episodes >= 1, f"--episodes is {self.episodes}; it must be at least 1")
        even = all(16 <= v <= 8192 and v % 2 == 0 for v in self.size)
        _require(even, f"--size is {self.size}; it must be even numbers from 16 to 8192")
        _require(self.evaluate or not self.json, "--json holds an evaluation: give --evaluate too")

    @property
    def sources(self) -> tuple[str, ...]:
        """All that is played, in order."""
        return (self.source, *self.compare) if self.source else self.compare

    @property
    def tiles(self) -> tuple[int, int]:
        """Rows and columns of the grid."""
        numbers = self.grid.split("x")
        ok = len(numbers) == 2 and all(n.isdecimal() and 1 <= int(n) <= 8 for n in numbers)
        _require(ok, f"--grid is {self.grid!r}; it must be ROWSxCOLUMNS of up to 8, as in 3x3")
        return int(numbers[0]), int(numbers[1])


@dataclass(frozen=True)
class Subject:
    """What is played: an environment, and a checkpoint's content where there is one."""

    env_id: str
    content: dict[str, Any] | None = None
    robot: str = ROBOT
    task: TaskConfig | None = None
    """Definition of a trot/ task, as its protocol has it; None for any other id."""

    def make(self, n: int, **kwargs: Any) -> VectorEnv:
        """Make n environments."""
        if self.task is not None:
            kwargs |= {"robot": self.robot, "config": self.task}
        return make_vec(self.env_id, n, **kwargs)


def main(arguments: list[str]) -> None:
    """Parse, find what is played, and play it."""
    options = tyro.cli(Play, args=arguments)
    suffixes = {"video": VIDEO, "json": [".json"], "save": [".pt"], "export": [".onnx", ".pt2"]}
    suffixes["report"] = [".html"]
    for name, allowed in suffixes.items():
        path = getattr(options, name)
        if path is not None:
            check_writable(path, *allowed)
    if options.gif and options.video is not None:
        check_writable(options.video.with_suffix(".gif"), ".gif")
    if options.replay_nan is not None:
        replay_fault(options, options.replay_nan)
        return
    if options.viewer:
        check_display()
    if options.web:
        from envs import web  # takes a second

        web.check_address(options.host, options.port)
    subjects = [find_subject(options, source) for source in options.sources]
    subject = subjects[0]
    if options.evaluate:
        judge(options, subject)
    if options.save is not None:
        save_policy(subject, options.save)
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
    again = replay.Replay(fault, render_mode="rgb_array", render_size=options.size)
    Console().print(again.explain(), soft_wrap=True, highlight=False)
    if options.video is not None:
        choose_backend()
        film = [Player(again, zero_agent(again.single_action_space, 1))]
        speed = 0.25 if options.slow == 1 else options.slow
        record_video(options.video, film, again.seconds, speed=speed)
        Console().print(f"video: {options.video}", soft_wrap=True, highlight=False)
    again.close()


def find_subject(options: Play, source: str | None = None) -> Subject:
    """Return what a source names, by default the first one.

    Raises:
        ValueError: neither a run, a checkpoint file nor an id; or a damaged checkpoint.
    """
    source = source or options.sources[0]
    path, content = Path(source), None
    if source.startswith(wandb_models.PREFIX):
        content = wandb_models.download(source, options.checkpoint)
    elif path.is_dir():
        run = RunDirectory(path)
        _require(
            run.last.exists() or run.best.exists(),
            f"{path} holds no checkpoints of a run; give a run's folder or a .pt file",
        )
        wanted = run.best if options.checkpoint == "best" else run.last
        if not wanted.exists():
            print(f"{path} has no {wanted.name} yet: playing last.pt", file=sys.stderr)
            wanted = run.last
        content = load_checkpoint(wanted)
    elif path.is_file():
        content = load_checkpoint(path)
    else:
        _require(is_id(source), f"no run and no checkpoint file: {unknown_id(source)}")
    env_id = source
    if content is not None:
        missing = ", ".join(sorted(CONTENT - content.keys()))
        _require(not missing, f"the checkpoint of {path} lacks {missing}: it is no policy")
        env_id = content["env_id"]
    if env_id not in envs.IDS:
        trot_only = ("robot", "contact", "command", "randomize", "report", "viewer", "web")
        given = [f"--{name}" for name in trot_only if getattr(options, name)]
        _require(not given, f"{' and '.join(given)}: for trot/ tasks, not for {env_id!r}")
        return Subject(env_id, content)
    learned_on = content["robot"] if content else None
    robot = options.robot or learned_on or ROBOT
    return Subject(env_id, content, robot, _task(options, env_id, robot, content))


def _task(options: Play, env_id: str, robot: str, content: dict[str, Any] | None) -> TaskConfig:
    """Return the definition of a trot/ task that the policy knows, under its protocol."""
    task = tasks.make(envs.IDS[env_id], get_robot(robot))
    if content and content.get("env"):
        task = from_plain(task, content["env"])
    if options.contact:
        task = replace(task, simulation=replace(task.simulation, contact=options.contact))
    task = protocol.evaluation_config(task, options.randomize)
    if options.command:
        task = protocol.fixed_command(task, options.command)
    return replace(task, episode_length=options.seconds) if options.seconds else task


def make_agent(options: Play, subject: Subject, n: int) -> Act:
    """Return who acts in n environments."""
    content, agent = subject.content, options.agent
    if agent is None or agent == "trained":
        problem = f"{subject.env_id!r} is an environment, without a policy"
        _require(content is not None, f"{problem}: give --agent zero or random")
    environment = subject.make(1)
    environment.close()
    if agent == "zero":
        return zero_agent(environment.single_action_space, n)
    if agent == "random":
        return random_agent(environment.single_action_space, n, options.seed)
    return trained_agent(content or {}, environment, options.device)


def save_policy(subject: Subject, path: Path) -> None:
    """Write what playing needs of a checkpoint: the policy, its normaliser and its task."""
    content = subject.content
    if content is None:
        raise ValueError(f"--save needs a run or a checkpoint; {subject.env_id!r} is neither")
    kept = ("env_id", "robot", "algorithm", "algo_config", "env", "iteration", "env_steps")
    algo = {name: content["algo"][name] for name in ("policy", "normalizer")}
    save_checkpoint(path, {name: content.get(name) for name in kept} | {"algo": algo})
    Console().print(f"policy: {path}", soft_wrap=True, highlight=False)


def export_policy(subject: Subject, path: Path) -> None:
    """Write the policy, its normaliser and scales for other programs, with what they must know."""
    try:
        from algos.export import DeployedPolicy, export  # takes a second, and an extra's packages
    except ImportError as error:
        raise ValueError(f"--export: {error}; pip install --editable '.[export]'") from error
    content = subject.content
    if content is None:
        raise ValueError(f"--export needs a run or a checkpoint; {subject.env_id!r} is neither")
    environment = subject.make(1)
    agent = load_agent(content, environment, "cpu")
    metadata: dict[str, Any] = {"env_id": subject.env_id}
    target = None
    if isinstance(environment, LocomotionVectorEnv):
        metadata |= deployment.description(environment)
        target = deployment.joint_target(environment)
    environment.close()
    export(DeployedPolicy(agent.policy, agent.normalizer, target), path, metadata)
    Console().print(f"policy: {path}", soft_wrap=True, highlight=False)


def make_video(options: Play, subjects: Sequence[Subject], path: Path) -> None:
    """Write the video that the options ask for."""
    rows, columns = options.tiles
    cast = [(subject, make_agent(options, subject, rows * columns)) for subject in subjects]
    film = Film(
        options.seconds or Film.seconds,
        options.seed,
        options.size,
        options.slow,
        tour=options.command is None,
        grid=(rows, columns),
    )
    record(cast, path, film, labels(options.sources), progress=True)
    made = [path]
    if options.gif:
        made.append(path.with_suffix(".gif"))
        write_gif(path, made[-1])
    for file in made:
        Console().print(f"video: {file}", soft_wrap=True, highlight=False)


def labels(sources: Sequence[str]) -> list[str]:
    """Return short names of several sources; one alone needs none."""
    if len(sources) == 1:
        return [""]
    short = [Path(source).resolve().name.removesuffix(".pt") for source in sources]
    return list(sources) if len(set(short)) < len(short) else short


def write_report(options: Play, subject: Subject, path: Path) -> None:
    """Write one page with all that a trot/ policy's trials and a video show."""
    from envs import report, trials  # matplotlib takes a second

    task = subject.task
    assert task is not None

    def agent(n: int) -> Act:
        return make_agent(options, subject, n)

    with Console().status("") as status:
        found = trials.run(
            agent, task, subject.robot, options.episodes, options.seed, status.update
        )
        status.update(f"video of {REPORT_FILM.seconds:g} s")
        video = _report_video(options, subject, agent(1))
        status.update("page")
        walks = envs.IDS[subject.env_id] == "walk"
        name = Path(options.sources[0]).resolve().name
        about = report.About(name, *_origin(options, subject))
        page = report.page(about, found, get_robot(subject.robot), walks, video)
    path.write_text(page, encoding="utf-8")
    Console().print(f"report: {path}", soft_wrap=True, highlight=False)


def _report_video(options: Play, subject: Subject, act: Act) -> bytes | str:
    """Return a video of the policy, or why this machine cannot make one."""
    film = replace(REPORT_FILM, seed=options.seed, tour=options.command is None)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.mp4"
        try:
            record([(subject, act)], path, film)
        except OpenGLError as error:
            return str(error)
        return path.read_bytes()


def _origin(options: Play, subject: Subject) -> tuple[dict[str, str], dict[str, str]]:
    """Return what is told of a policy at the top of its report, and its long texts."""
    source, agent = Path(options.sources[0]), options.agent or "trained"
    facts, details = {"Task": subject.env_id, "Robot": subject.robot, "Agent": agent}, {}
    if subject.content and agent == "trained":
        facts |= provenance.facts(source, subject.content)
        details = provenance.details(source, subject.content)
    for name in ("contact", "command", "randomize"):
        if getattr(options, name):
            facts[name.capitalize()] = str(getattr(options, name))
    return facts | provenance.made_with(), details


def record(
    cast: Sequence[tuple[Subject, Act]],
    path: Path,
    film: Film = Film(),
    names: Sequence[str] = ("",),
    progress: bool = False,
) -> None:
    """Write a video of policies side by side, or of one in a grid of robots."""
    choose_backend()
    rows, columns = film.grid if len(cast) == 1 else (1, len(cast))
    n = rows * columns // len(cast)
    width, height = film.size[0] // columns // 2 * 2, film.size[1] // rows // 2 * 2
    with ExitStack() as stack:
        players = []
        for (subject, act), name in zip(cast, names, strict=True):
            kwargs: dict[str, Any] = {"render_mode": "rgb_array"}
            if subject.task is not None:
                kwargs["render_size"] = (width, height)
                subject = replace(subject, task=_filmed(subject.task, film, n))
            environment = subject.make(n, **kwargs)
            stack.callback(environment.close)
            players.append(Player(environment, act, name))
        robots = [p.envs for p in players if isinstance(p.envs, LocomotionVectorEnv)]
        lead = tour.guide(robots) if robots and film.tour and n == 1 else None
        record_video(path, players, film.seconds, film.seed, lead, progress, film.speed, columns)


def _filmed(task: TaskConfig, film: Film, n: int) -> TaskConfig:
    """The task for as long as the film; where there are many robots, from starts of their own."""
    start = replace(task.randomization, start_state=n > 1 or task.randomization.start_state)
    return replace(task, episode_length=film.seconds, randomization=start)


def watch_live(options: Play, subject: Subject) -> None:
    """Show the policy live, in a browser or in MuJoCo's viewer, under commands given there."""
    own = replace(options, command=None)  # with the task's own limits
    task = _task(own, subject.env_id, subject.robot, subject.content)
    endless = replace(task, episode_length=options.seconds or ENDLESS)
    environment = replace(subject, task=endless).make(1)
    assert isinstance(environment, LocomotionVectorEnv)
    agents, first = live_agents(options, subject)
    live = Live(environment, agents, first, options.seed, options.command)
    if options.viewer:
        watch(live)
    else:
        from envs import web

        web.serve(live, options.host, options.port)


def live_agents(options: Play, subject: Subject) -> tuple[dict[str, Callable[[], Act]], str]:
    """Return what loads each agent that can act, by its name, and the one that starts."""

    def agent(name: Literal["trained", "zero", "random"]) -> Callable[[], Act]:
        return lambda: make_agent(replace(options, agent=name), subject, 1)

    def checkpoint(name: Literal["best", "last"]) -> Callable[[], Act]:
        chosen = replace(options, checkpoint=name, agent="trained")
        return lambda: make_agent(chosen, find_subject(chosen), 1)

    agents = {"zero": agent("zero"), "random": agent("random")}
    path = Path(options.sources[0])
    if path.is_dir():
        run = RunDirectory(path)
        files = {"best": run.best, "last": run.last}
        agents = {n: checkpoint(n) for n in ("best", "last") if files[n].exists()} | agents
    elif subject.content is not None:
        name = path.name.removesuffix(".pt")
        agents = {"trained" if name in agents else name: agent("trained")} | agents
    if options.agent in ("zero", "random"):
        return agents, options.agent
    return agents, options.checkpoint if options.checkpoint in agents else next(iter(agents))


def judge(options: Play, subject: Subject) -> None:
    """Print the evaluation, and write it as JSON if a file is given."""
    n = options.episodes if subject.task else min(options.episodes, 10)
    act = make_agent(options, subject, n)
    if subject.task is not None:
        results = protocol.evaluate(
            act, subject.task, subject.robot, options.episodes, options.seed
        )
        table = locomotion_table(results, subject.env_id)
    else:
        environment = subject.make(n)
        results = evaluate(act, environment, options.episodes, options.seed)
        environment.close()
        table = Table("", "value", title=subject.env_id)
        for name, value in results.items():
            table.add_row(name.replace("_", " "), f"{value:.6g}")
        results["seed"] = options.seed
    Console().print(table)
    if options.json is not None:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


def locomotion_table(results: dict[str, Any], env_id: str) -> Table:
    """Return the protocol's results with their intervals, beside the paper's for walking."""
    title = f"{env_id}: {results['episodes']} robots, seed {results['seed']}"
    head, *rows = protocol.table(results, walks=envs.IDS[env_id] == "walk")
    table = Table(*head, title=title)
    for row in rows:
        table.add_row(*row)
    return table


def _require(holds: bool, problem: str) -> None:
    if not holds:
        raise ValueError(problem)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (ValueError, OSError, OpenGLError, gymnasium.error.Error) as problem:
        print(f"error: {problem}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
