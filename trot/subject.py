"""What is played, and how: the options, and the environment and policy that they name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Annotated, Any, ClassVar

import tyro
from gymnasium.vector import VectorEnv

import envs
from algos.playing import sources
from algos.playing.watching import Watching
from algos.rollout.environments import make_vec, maker
from algos.runs.codec import to_plain
from algos.runs.directory import settings
from algos.training import own
from algos.training.options import require_effect
from algos.training.parsing import glance, parse
from algos.usage import UsageError
from envs import hand_over, playable, tasks
from envs.render.gl import prepare
from envs.show.options import RobotOptions
from envs.task import TaskConfig, with_gait
from robots import get_robot

ROBOT = "anymal_c"
KWARGS = "--env-kwargs"
SHOWS = (*Watching.ACTING, "report", "viewer", "web", "export")
"""Options of which each shows a task's settings."""
Override = Callable[[str, Any], Any]
"""Gives a task, of an id, the settings of the command line; refuses options that are none."""


def unchanged(env_id: str, task: Any) -> Any:
    """Return the task: the command line names none of its settings."""
    return task


@dataclass(frozen=True)
class Play(RobotOptions, Watching):
    """Make a video of a policy, judge it, or watch it live."""

    ACTING: ClassVar[tuple[str, ...]] = SHOWS[:-1]
    NEEDS: ClassVar[dict[str, tuple[str, ...]]] = {
        **Watching.NEEDS,
        **dict.fromkeys(("host", "port"), ("web",)),
        "episodes": ("evaluate", "report"),
        "out": ("inspect",),
        "command_schedule": ("video", "viewer", "web"),
        **dict.fromkeys(("contact", "robot"), SHOWS),
    }
    SUFFIXES: ClassVar[dict[str, tuple[str, ...]]] = {
        **Watching.SUFFIXES,
        "report": (".html",),
        "out": (".png",),
    }
    ALONE: ClassVar[dict[str, tuple[str, ...]]] = {
        "inspect": ("out",),
        "replay_nan": ("video", "slow", "size"),
        "paper": ("device",),
    }
    """Options that need no source, with those that have an effect beside them."""

    def __post_init__(self) -> None:
        """Raise ValueError for a value out of bounds, or an option without effect."""
        alone = [name for name in self.ALONE if getattr(self, name)]
        if alone:
            self._require_alone(alone[0])
        else:
            super().__post_init__()
        self.check()
        if self.command_schedule and self.tiles != (1, 1):
            raise UsageError("give --command-schedule or --grid, not both")
        files = [f"--{name}" for name in (*self.SUFFIXES, "evaluate") if getattr(self, name)]
        if files and (self.viewer or self.web):
            live = "--viewer" if self.viewer else "--web"
            raise UsageError(
                f"{live} lasts until you end it: give {' and '.join(files)} in a command before it"
            )

    def _require_alone(self, name: str) -> None:
        """Raise ValueError for an option without effect beside one that needs no source."""
        flag = f"--{name.replace('_', '-')}"
        if self.source:
            raise UsageError(f"{flag} plays what it names alone: leave {self.source} out")
        for other in (field.name for field in fields(self)):
            known = other in (name, *self.ALONE[name])
            if not known and getattr(self, other) != getattr(type(self), other, {}):
                option = other.replace("_", "-")
                raise UsageError(f"--{option} has no effect with {flag}: leave it out")


@dataclass(frozen=True)
class _Look(Play):
    """What may stand on the command line before it is known which settings the task has."""

    source: tyro.conf.Positional[tuple[str, ...]] = ()  # pyright: ignore[reportIncompatibleVariableOverride]
    env: TaskConfig | None = None
    help: Annotated[bool, tyro.conf.arg(aliases=["-h"])] = False

    def __post_init__(self) -> None:
        """Nothing has to hold yet."""


@dataclass(frozen=True)
class Subject:
    """What is played: an environment, and a checkpoint's content where there is one."""

    env_id: str
    content: dict[str, Any] | None = None
    robot: str = ROBOT
    task: TaskConfig | None = None
    """Definition of a trot/ task, as its protocol has it; None for any other id."""
    trained: TaskConfig | None = None
    """The same as in training."""
    override: Override = unchanged
    """Gives a task the settings of the command line."""
    maker: Callable[..., VectorEnv] = make_vec
    """Makes environments, with the parameters and wrappers of any other id."""
    riser: Subject | None = None
    """The policy that gets a fallen robot up, where there is one."""

    def make(self, n: int) -> VectorEnv:
        """Make n environments."""
        prepare(self.env_id)
        if self.task is None:
            return self.maker(self.env_id, n)
        return make_vec(self.env_id, n, robot=self.robot, config=self.task)

    def judged(self, options: RobotOptions, seconds: float | None) -> TaskConfig:
        """Return a trot/ task under its protocol, the options and the settings given.

        Raises:
            ValueError: a setting that there is none of, or that the policy cannot have changed.
        """
        assert self.trained is not None
        trained = self.trained
        if options.gait is not None:
            trained = with_gait(trained, options.gait, get_robot(self.robot))
        given = options.watched(trained, seconds, partial(self.override, self.env_id))
        if self.content:
            playable.require_same_senses(self.trained, given)
        if self.riser is not None and self.riser.task is not None:
            return hand_over.together(given, self.riser.task)
        return given

    def changes(self, options: Play) -> dict[str, Any]:
        """Return the settings given, by their dotted names."""
        if self.task is None or self.trained is None:
            return {}
        plain = options.watched(self.trained, options.seconds, lambda task: task)
        before, now = settings(to_plain(plain)), settings(to_plain(self.task))
        return {f"env.{name}": value for name, value in now.items() if before.get(name) != value}

    def policy(self) -> dict[str, Any]:
        """Return the checkpoint's content.

        Raises:
            ValueError: there is none.
        """
        if self.content is None:
            raise UsageError(f"{self.env_id!r} is an environment: give a run or a checkpoint")
        return self.content


def read(arguments: list[str]) -> tuple[Play, Override]:
    """Return the options of a command line, and what gives a task the settings of --env there.

    Which settings there are is known when the policy is: the command line is parsed again then.

    Raises:
        ValueError: an unknown option, a value out of bounds, or an option without effect.
    """
    seen, more = glance(_Look(), arguments)
    if seen.help:
        parse(Play, ["--help"], owner="play.py")
    name = sources.own_id("".join(seen.source))
    if name is not None and name not in envs.IDS:
        options = own.parse(Play, arguments, name)
        _require_runs(options)
        return options, unchanged
    if sources.is_policy("".join(seen.source)) and any(word.startswith(KWARGS) for word in more):
        raise UsageError(
            f"{''.join(seen.source)} keeps the parameters of its training: leave {KWARGS} out, or "
            "give it to train.py, or to play.py with the id and --agent"
        )
    override = partial(_settings, arguments) if more else unchanged
    usual = None
    if any(word.startswith("--env") for word in more):
        usual = tasks.make("walk", get_robot(ROBOT))
        seen, _ = glance(_Look(env=usual), arguments)  # the source may stand behind them
    if len(seen.source) > 1:
        raise UsageError(f"what is {seen.source[1]!r}? one run, file or id; --compare takes more")
    given: dict[str, Any] = {field.name: getattr(seen, field.name) for field in fields(Play)}
    given["source"] = "".join(seen.source)
    try:
        options = Play(**given)
    except ValueError:
        override("play.py", usual)  # a misspelt option says more
        raise
    if not options.sources:
        override("play.py", None)
    elif usual is not None and not any(getattr(options, name) for name in SHOWS):
        flags = " or ".join(f"--{name}" for name in SHOWS)
        raise UsageError(f"--env… has no effect without {flags}: give one too, or leave it out")
    _require_runs(options)
    return options, override


def _require_runs(options: Play) -> None:
    """Raise ValueError for a choice of checkpoints where nothing that is played has several."""
    known = [*options.sources, *filter(None, [options.recover])]
    if options.checkpoint != Play.checkpoint and known and all(map(sources.is_single, known)):
        raise UsageError(
            f"--checkpoint has no effect with {' and '.join(known)}: only a run has several, so "
            "leave it out"
        )
    for name in ("checkpoint", "device"):
        if options.acting != "trained" and getattr(options, name) != getattr(Play, name):
            raise UsageError(f"--{name} has no effect with --agent: give one of them")


def _settings(arguments: list[str], env_id: str, task: TaskConfig | None) -> TaskConfig | None:
    """Return a task with the settings of the command line."""
    return parse(_Look, arguments, _Look(env=task), owner=env_id, add_help=False).env


def _maker(options: Play, source: str, content: dict[str, Any] | None) -> Callable[..., VectorEnv]:
    """Return what makes environments of an id that is no trot/ task."""
    if content is None:
        return maker(options.wrapper, options.env_kwargs)
    if options.wrapper:
        raise UsageError(f"{source} keeps the wrappers of its training: leave --wrapper out")
    return maker(content.get("wrapper") or (), content.get("env_kwargs") or {})


def find_subject(
    options: Play, source: str | None = None, override: Override = unchanged
) -> Subject:
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
        sized = ["--size"] if options.size != Play.size else []
        if given := " and ".join([*options.trot_only, *sized]):
            raise UsageError(f"{given}: for trot/ tasks, not for {env_id!r}")
        require_effect(options, {"seconds": ("video",)})  # its episodes have lengths of their own
        override(env_id, None)
        return Subject(env_id, content, maker=_maker(options, source, content))
    if options.wrapper:
        raise UsageError(f"--wrapper is for single environments, and {env_id} has many")
    name = options.robot or (content["robot"] if content else None) or ROBOT
    robot = get_robot(name)
    recipe = (content or {}).get("recipe") or tasks.USUAL
    task = tasks.make(envs.IDS[env_id], robot, recipe)
    if content:
        playable.require_legs(robot, content["play"])
        task = playable.restore(sources.as_trained(task, content["env"]), content["play"])
    subject = Subject(env_id, content, name, trained=task, override=override)
    if options.recover is not None:
        riser = _riser(options, name)
        trained_on = riser.content["robot"] if riser.content else name
        need = f"{options.recover} is of {trained_on}: give two policies of one robot, or --robot"
        if content and not options.robot and trained_on != content["robot"]:
            raise UsageError(f"{source} is a policy of {name}, {need}")
        subject = replace(subject, riser=riser)
    return replace(subject, task=subject.judged(options, options.seconds))


def _riser(options: Play, robot: str) -> Subject:
    """Return the policy that gets the robot of another one up.

    Raises:
        ValueError: it is no policy of a trot/ task.
    """
    source = options.recover or ""
    alone = replace(options, recover=None, command=None, gait=None, robot=robot)
    riser = find_subject(alone, source)
    if riser.content is None or riser.task is None:
        raise UsageError(f"--recover is {source}; give a run or a checkpoint of trot/Recover-v0")
    return riser
