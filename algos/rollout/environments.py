"""Vector environments by Gymnasium id."""

import difflib
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy, deepcopy
from functools import partial
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec, load_env_creator
from gymnasium.vector import AutoresetMode, VectorEnv

from algos.rollout.checked import Checked, Vectors, check_within, without_exit
from algos.rollout.modules import load_wrapper, registered_id
from algos.rollout.parameters import declared
from algos.rollout.repeatable import Repeatable, RepeatableVectorEnv
from algos.rollout.vectors import told
from algos.usage import SpaceError, UsageError

CHECKS = ("gymnasium.utils.passive_env_checker", "gymnasium.wrappers.common")
"""Modules in which Gymnasium checks spaces when it makes an environment."""
REFUSALS: tuple[type[Exception], ...] = (
    *(gymnasium.error.Error, ImportError),
    *(TypeError, ValueError, OSError, ArithmeticError),  # of parameters that do not suit
)
"""What Gymnasium's own environments and wrappers raise where they cannot be made."""
SAME = "set metadata['autoreset_mode'] to SAME_STEP and reset so, or register an entry_point"
TAKEN = {"id", "disable_env_checker"}
"""Parameters of `gymnasium.make`, which an environment may have, too."""
REMEDY = "choose another id, or change them in a wrapper (--wrapper MODULE:CLASS)"


def make_vec(
    env_id: str, num_envs: int, /, wrappers: Sequence[str] = (), **kwargs: Any
) -> VectorEnv:
    """Make a vector environment in AutoresetMode.SAME_STEP for any registered id.

    An id's own vector environment is used where it resets in the same step; every other id runs
    as single environments in turn, with observations flattened to one axis, and can return to
    where a checkpoint left it. The ids of dm_control
    (`dm_control/quadruped-walk-v0`) come from shimmy; ids of one's own are registered before, or
    by the module that MODULE:ID names.

    Args:
        env_id: Gymnasium id.
        num_envs: number of environments.
        wrappers: of single environments, each as MODULE:CLASS, in the order of their application.
        kwargs: passed to the environment, e.g. `render_mode="rgb_array"`.

    Raises:
        ValueError: an unknown id (the message suggests one), image observations, or a package
            that it needs is missing.
    """
    return _make_vec(env_id, num_envs, wrappers, kwargs)


def _make_vec(
    env_id: str, num_envs: int, wrappers: Sequence[str], kwargs: dict[str, Any]
) -> VectorEnv:
    env_id, wrap = registered_id(env_id), [load_wrapper(name) for name in wrappers]
    kwargs = declared(env_id, kwargs)
    with named(env_id, gymnasium.error.Error, ImportError):
        if env_id.startswith("dm_control/"):
            _register_dm_control()
        spec = gymnasium.spec(env_id)
    maker = getattr(spec.entry_point, "__module__", spec.entry_point)
    known = str(maker).startswith(("gymnasium.", "shimmy."))  # the errors of all others are theirs
    known &= all(name.startswith("gymnasium.") for name in wrappers)
    errors = REFUSALS if known else (gymnasium.error.DependencyNotInstalled,)
    with named(env_id, SpaceError, *errors):
        if spec.vector_entry_point is not None and not wrap and not spec.additional_wrappers:
            envs = _own_vector(spec, spec.vector_entry_point, num_envs, kwargs)
            if envs.metadata.get("autoreset_mode") == AutoresetMode.SAME_STEP:
                return envs
            envs.close()
            if spec.entry_point is None:
                mode = envs.metadata.get("autoreset_mode")
                raise SpaceError(f"its vector environment has the autoreset mode {mode}; {SAME}")
        return RepeatableVectorEnv(
            [lambda: Repeatable(_vectors(_make(env_id, kwargs, wrap)))] * num_envs,
            autoreset_mode=AutoresetMode.SAME_STEP,
        )


def maker(wrappers: Sequence[str], kwargs: Mapping[str, Any], /) -> Callable[..., VectorEnv]:
    """Return `make_vec` for an environment whose parameters may have the names of its own.

    It takes an id, a number of environments and more parameters, by name.
    """
    return lambda env_id, num_envs, /, **more: _make_vec(
        env_id, num_envs, wrappers, {**kwargs, **more}
    )


def _own_vector(
    spec: EnvSpec, point: str | Callable[..., Any], num_envs: int, kwargs: dict[str, Any]
) -> VectorEnv:
    """Make an id's own vector environment.

    As `gymnasium.make_vec` does, which takes parameters called `id`, `wrappers`, `vector_kwargs`
    or `vectorization_mode` itself.
    """
    steps = spec.max_episode_steps
    limit = {} if steps is None else {"max_episode_steps": steps}
    make: Any = load_env_creator(point) if isinstance(point, str) else point
    return make(**{**limit, **deepcopy(spec.kwargs), **kwargs, "num_envs": num_envs})


def _target(env_id: str, kwargs: dict[str, Any]) -> tuple[str | EnvSpec, dict[str, Any]]:
    """Return what Gymnasium makes, and with which parameters: it takes those of TAKEN itself."""
    if TAKEN.isdisjoint(kwargs):
        return env_id, kwargs
    spec = copy(gymnasium.spec(env_id))
    spec.kwargs = {**spec.kwargs, **{name: kwargs[name] for name in TAKEN & kwargs.keys()}}
    return spec, {name: value for name, value in kwargs.items() if name not in TAKEN}


@contextmanager
def named(env_id: str, *told: type[Exception]) -> Iterator[None]:
    """Turn errors that say all there is to say of an id, or of a package it needs, into one."""
    try:
        yield
    except told as error:
        raise UsageError(f"environment {env_id!r}: {error}") from error


def _make(
    env_id: str, kwargs: dict[str, Any], wrap: Sequence[Callable[[gymnasium.Env], gymnasium.Env]]
) -> gymnasium.Env:
    target, others = _target(env_id, kwargs)
    with _spaces_checked():
        env = without_exit(lambda: gymnasium.make(target, **others))
    env = check_within(env)
    if env_id.startswith("dm_control/"):
        single: Any = env.unwrapped
        rate = {"render_fps": 1 / single.dt}  # shimmy gives the step in milliseconds, to all tasks
        single.metadata = single.metadata | rate
    for wrapper in wrap:
        wrapped: Any = without_exit(partial(wrapper, env))
        if not isinstance(wrapped, gymnasium.Env):
            name = getattr(wrapper, "__name__", wrapper)
            need = "a wrapper must return a gymnasium.Env"
            raise UsageError(f"--wrapper: {name} returned {told(wrapped)}; {need}")
        env = Checked(wrapped)
    return env


def _register_dm_control() -> None:
    import shimmy.registration  # dm_control takes a second to import: only where it is asked for

    if "dm_control/quadruped-walk-v0" not in gymnasium.registry:
        shimmy.registration.register_gymnasium_envs()


@contextmanager
def _spaces_checked() -> Iterator[None]:
    """Turn what Gymnasium's check says of spaces, before anything can be wrapped, into one line."""
    try:
        yield
    except (AssertionError, AttributeError, TypeError) as error:
        *_, (frame, _) = traceback.walk_tb(error.__traceback__)
        if frame.f_globals["__name__"] not in CHECKS:
            raise
        said = " ".join(str(error).split()).rstrip(".")
        raise SpaceError(f"{said}: mend it in the environment") from error


def _vectors(env: gymnasium.Env) -> gymnasium.Env:
    """Flatten observations to one axis.

    Raises:
        SpaceError: they make no vector, or the environment lacks a space.
    """
    for name in ("observation_space", "action_space"):
        space = getattr(env, name, None)
        if not isinstance(space, spaces.Space):
            raise SpaceError(f"{name} is {told(space)}; it must be one of gymnasium.spaces")
    if problem := _problem(env.observation_space):
        shown = " ".join(str(env.observation_space).split())
        raise SpaceError(f"the observations {shown} {problem}: {REMEDY}")
    return Vectors(env)


def _problem(space: spaces.Space) -> str | None:
    """Return why observations make no vector, None where they do."""
    if _has_image(space):
        return "hold images, and Trot's networks take vectors"
    try:
        flat = spaces.flatten_space(space) if space.is_np_flattenable else None
    except NotImplementedError:  # of a class of one's own
        flat = None
    except ValueError:  # of parts that are empty
        return "hold an empty space"
    if not isinstance(flat, spaces.Box):
        return "make no vector of a fixed length"
    return None if flat.shape[0] else "are empty, and a policy has to see something"


def _has_image(space: spaces.Space) -> bool:
    if isinstance(space, spaces.Dict):
        return any(map(_has_image, space.values()))
    if isinstance(space, spaces.Tuple):
        return any(map(_has_image, space))
    return isinstance(space, spaces.Box) and space.dtype == np.uint8 and len(space.shape) > 1


def is_id(name: str) -> bool:
    """Whether a Gymnasium id is of this name; dm_control's register when they are made.

    Raises:
        UsageError: a MODULE:ID without such a module, or that does not register it.
    """
    return registered_id(name) in gymnasium.registry or name.startswith("dm_control/")


def unknown_id(name: str | None) -> str:
    """Return what to say of a name that is no id."""
    problem = f"environment id {name!r} is unknown" if name else "give a Gymnasium id"
    return f"{problem}; {suggestion(name or '')}"


def suggestion(name: str, *others: str) -> str:
    """Return which ids, or others that are near it, may be meant by a name that is unknown."""
    ids = difflib.get_close_matches(name, gymnasium.registry)
    close = difflib.get_close_matches(name, [*others, *ids], cutoff=0)
    return f"did you mean {' or '.join(close)}?" if close else "for example trot/AnymalWalk-v0"
