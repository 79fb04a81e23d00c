"""The vector environment: n simulations of one task, stepped together on a thread pool."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from envs import sensing, tasks
from envs.acting import Acting
from envs.bounds import require, require_shape, require_size
from envs.mdp import commands, observations, rewards, symmetry, terminations
from envs.mdp.curriculum import Levels
from envs.mdp.gaits.commanded import Clock
from envs.mdp.memory.episode import EpisodeLog
from envs.mdp.memory.history import History
from envs.mdp.memory.visited import Visited
from envs.mdp.starts import NOMINAL, Rows
from envs.mdp.state import State
from envs.render.renderer import BatchRenderer
from envs.sim import scene
from envs.sim.engines import Engine, make_physics
from envs.sim.faults import MAX_RECORDS, Recorder
from envs.sim.physics import Physics
from envs.sim.randomization import ModelRandomizer, push_velocities
from envs.task import TaskConfig
from robots import get_robot, is_file


class LocomotionVectorEnv(VectorEnv):
    """Gymnasium vector environment over `envs.sim.physics.Physics`, with same-step autoreset.

    Observations (n, observation) float32, actions (n, joints) in [-1, 1]. When an episode ends,
    the returned observation is the next episode's first one and `info` holds `final_obs`
    (n, observation) with the mask `_final_obs` (n,). All that is Trot's own is in `info["trot"]`:
    when episodes end, `episode_means`, a dict of means over the episode, (n,) each, of which the
    rows that end count: every reward term per second, tracking errors, falls. Where simulations
    blew up, `diverged` (n,) says which; `faults` lists what `envs.judge.replay` needs to repeat one
    that blew up or gave a NaN or an infinity. `state` is what they are in,
    `last_state` what they were in at the end of a step, before any reset.

    Args:
        num_envs: number of simulations.
        task: a task of `envs.tasks.TASKS`.
        recipe: one of the task's.
        robot: a robot of `robots.ROBOTS`.
        config: the task's definition; None takes the task's own for this robot.
        render_mode: None, or `rgb_array` for `render()`.
        render_size: width and height of a frame (pixels).
        autoreset: False leaves finished simulations as they are, for `LocomotionEnv`.
        total_envs: simulations that learn together, which the curriculum counts, where other
            environments hold some of them; None for these alone.
        physics: what simulates, see `envs.sim.engines`.
        device: where warp does.

    Raises:
        ValueError: an unknown task, recipe, robot, engine or render mode, a num_envs below 1, gait
            offsets that do not suit the robot's feet, or observations of targets that no drive has.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 - Gymnasium reads it from the class, too
        "autoreset_mode": AutoresetMode.SAME_STEP,
        "render_modes": ["rgb_array"],
        "render_fps": 50,
    }

    def __init__(
        self,
        num_envs: int = 1,
        *,
        task: str = "walk",
        recipe: str = tasks.USUAL,
        robot: str = "anymal_c",
        config: TaskConfig | None = None,
        render_mode: str | None = None,
        render_size: tuple[int, int] = (1280, 720),
        autoreset: bool = True,
        total_envs: int | None = None,
        physics: Engine = "batch",
        device: str = "cuda",
    ) -> None:
        require(num_envs >= 1, "num_envs", num_envs, "at least 1")
        need = "None or 'rgb_array'"
        require(render_mode in (None, "rgb_array"), "render_mode", repr(render_mode), need)
        require_size("render_size", render_size)
        self.num_envs, self.render_mode, self.render_size = num_envs, render_mode, render_size
        self.robot = get_robot(robot)
        self.config = config if config is not None else tasks.make(task, self.robot, recipe)
        self.metadata = self.metadata | {
            "autoreset_mode": AutoresetMode.SAME_STEP if autoreset else AutoresetMode.DISABLED,
            "render_fps": 1 / self.config.simulation.dt,
        }
        self.frame_interval = self.config.simulation.dt
        """Time from one rendered frame to the next (s)."""
        self._named = str(Path(robot).absolute()) if is_file(robot) else robot
        self._autoreset, self._total_envs = autoreset, total_envs or num_envs
        self.physics = self._make_physics(physics, device)
        self._models = ModelRandomizer(self.physics, self.robot, self.config.randomization)
        self._rng = np.random.default_rng()
        self.transitions, self._records_left, self._begun = 0, MAX_RECORDS, False
        self._allocate()
        self._define_spaces()
        self._renderer: BatchRenderer | None = None

    def _make_physics(self, engine: Engine, device: str) -> Physics:
        config, simulation = self.config, self.config.simulation
        model = scene.build(self.robot, simulation, config.drive, config.terrain)
        what = model, self.robot, self.num_envs, simulation, config.terrain
        physics = make_physics(engine, *what, device)
        self._recorder = physics.observer = Recorder(physics.state, model.nu)
        return physics

    def _allocate(self) -> None:
        n, robot, config = self.num_envs, self.robot, self.config
        feet, offsets = len(robot.feet), config.gait.offsets
        ok = len(offsets) in (0, feet)
        require(ok, "gait offsets", offsets, f"{feet} numbers, one a leg")
        self._max_steps = round(config.episode_length / config.simulation.dt)
        self._history = History(n, len(robot.joints), feet, len(config.commands.entries))
        self._history.command[:] = config.commands.nearest
        self._clock = Clock(config.gait, config.commands.names, n, feet)
        self._acting = Acting(config, robot, self.physics, n)
        self._visited = Visited(config.revisit, n, len(robot.joints))
        self.levels = Levels(config.curricula)
        self._reward = {name: np.zeros(n) for name in config.rewards}

    def _define_spaces(self) -> None:
        self.state = self.last_state = self._read_state()
        terms, n = self.config.observations, self.num_envs
        sensing.check(self.config, self.state)
        errors = self.state.has_velocity_command
        self._log = EpisodeLog(tuple(self.config.rewards), n, errors)
        self.layout = observations.layout(terms, self.state)
        width = max(s.stop for s in self.layout.values())
        joints = len(self.robot.joints)
        self.single_observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (width,), np.float32)
        self.single_action_space = gymnasium.spaces.Box(-1.0, 1.0, (joints,), np.float32)
        self.observation_space = batch_space(self.single_observation_space, n)
        self.action_space = batch_space(self.single_action_space, n)
        entries = self.config.commands.entries
        self.mirrors = symmetry.of_robot(self.robot, self.physics.model, entries)
        self.symmetry = symmetry.of_task(self.mirrors, terms, self.layout)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start every simulation anew; a seed restarts the environment's only generator.

        Of `options`, `reset_mask` (n,) bool starts those it marks alone, as Gymnasium has it.
        """
        super().reset(seed=seed)
        if seed is not None:
            self._rng = self.np_random
        mask = np.asarray((options or {}).get("reset_mask", np.ones(self.num_envs)), bool)
        require_shape("reset_mask", mask, (self.num_envs,))
        first, self._begun = seed is not None or not self._begun, True
        if first:
            self._visited.clear()
        self._restart(np.flatnonzero(mask))
        if self.config.staggered and first:
            ages = self._rng.integers(0, self._max_steps, self.num_envs)
            self._history.steps[mask] = ages[mask]
        self.state = self._read_state()
        return self._observe(), {}

    def step(
        self, actions: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Advance every simulation by one control step; the MDP, in order.

        Args:
            actions: (n, joints), clipped to [-1, 1].
        """
        config = self.config
        self._act(actions)
        self._push()
        diverged = self.physics.step(self._acting.substep)
        faults = self._record(diverged, "diverged")
        self._recover(diverged)

        self._track(diverged)
        level = self.levels(self.transitions)
        state = self._read_state()
        terminated = diverged | terminations.terminated(config.terminations, state)
        truncated = ~terminated & (self._history.steps >= self._max_steps)
        state = replace(state, terminated=terminated)
        self._reward = rewards.evaluate(config.rewards, state, diverged, level["rewards"])
        reward = sum(self._reward.values(), np.zeros(self.num_envs))
        self._log.add(self._reward, state)
        self._visited.note(state, self.physics.base_quat_w)

        self._next_command(level["commands"])
        self.state = self.last_state = replace(state, command=self._history.command.copy())
        observation, done = self._observe(), terminated | truncated
        finite = np.isfinite(observation.sum(axis=1) + reward)
        if not finite.all():
            faults += self._record(~finite, f"gave a number that is not finite{self._source()}")
        told: dict[str, Any] = {"diverged": diverged} if diverged.any() else {}
        if faults:
            told["faults"] = faults
        if done.any():
            told["episode_means"] = self._log.means(state, diverged)
            self.levels.count(told["episode_means"], done)
        info: dict[str, Any] = {"trot": told} if told else {}
        if done.any() and self._autoreset:
            info |= {"final_obs": observation, "_final_obs": done}
            observation = self._reset_rows(done, observation)
        return observation, reward, terminated, truncated, info

    @property
    def episode_steps(self) -> np.ndarray:
        """Control steps of each episode so far, live, (n,)."""
        return self._history.steps

    @property
    def max_episode_steps(self) -> int:
        """Control steps after which an episode is cut."""
        return self._max_steps

    def reward_rates(self) -> dict[str, np.ndarray]:
        """Return each term's reward per second in the last step, (n,), before any reset."""
        return {name: value / self.config.simulation.dt for name, value in self._reward.items()}

    def render(self) -> tuple[np.ndarray, ...] | None:
        """Return a frame (height, width, 3) uint8 of every simulation in mode `rgb_array`."""
        if self.render_mode != "rgb_array":
            return None
        if self._renderer is None:
            model, dt = self.shown_model(), self.frame_interval
            ground, size = self.config.terrain.height, self.render_size
            self._renderer = BatchRenderer(
                self.physics, self.num_envs, model, self.robot, dt, ground, *size
            )
        return self._renderer.frames(self.state)

    def shown_model(self) -> Any:
        """Return a model with the simulations' coordinates and the geoms to be shown."""
        config = self.config
        return scene.build(self.robot, config.simulation, config.drive, config.terrain, visual=True)

    def close_extras(self, **kwargs: Any) -> None:
        """Free the renderer."""
        if self._renderer is not None:
            self._renderer.close()

    def _act(self, actions: np.ndarray) -> None:
        actions = np.asarray(actions)
        require_shape("actions", actions, (self.num_envs, len(self.robot.joints)))
        self._acting.act(self._history.act(actions))

    def _push(self) -> None:
        config, left = self.config.randomization, self._history.push_left
        if config.push is None:
            return
        left -= self.config.simulation.dt
        (due,) = np.nonzero(left <= 0)
        if len(due):
            self.physics.push(due, push_velocities(config, len(due), self._rng))
            left[due] += config.push_interval

    def _recover(self, diverged: np.ndarray) -> None:
        """Put simulations that blew up into the nominal stance, so that all numbers are finite."""
        (ids,) = np.nonzero(diverged)
        if len(ids):
            self._place(ids, NOMINAL(self.robot, len(ids), self._rng))
            self.physics.lift(ids)
            self._acting.forget(ids)
            self._history.action[ids] = 0.0  # it may be the one that is not finite

    def _place(self, ids: np.ndarray, rows: Rows) -> None:
        """Put simulations ids into states that count from the ground."""
        rows.base_pose[:, 2] += self.config.terrain.height(rows.base_pose[:, :2])
        self.physics.set_rows(ids, *rows)

    def _record(self, broken: np.ndarray, what: str) -> list[dict[str, Any]]:
        """Return the record of the first of the simulations that are marked, if any is."""
        if not broken.any() or not self._records_left:
            return []
        self._records_left -= 1
        i, config, state = int(np.argmax(broken)), self.config, self.state
        reason = f"simulation {i} {what}"
        parts = (config.simulation, config.drive, config.terrain)
        hold = 1 if self._acting.substep else config.simulation.substeps
        models = {name: field[i] for name, field in self._models.state_dict().items()}
        command = state.velocity_command[i]
        name, engine = self._named, self.physics.engine
        return [self._recorder.fault(i, reason, name, *parts, hold, models, command, engine)]

    def _source(self) -> str:
        """Return which rewards are not finite, in any simulation."""
        terms = [name for name, value in self._reward.items() if not np.isfinite(value).all()]
        return f": {', '.join(terms)}" if terms else ""

    def _track(self, fresh: np.ndarray) -> None:
        physics, dt, command = self.physics, self.config.simulation.dt, self._history.command
        frequency = self._clock.frequency(command)
        self._history.track(physics.joint_vel, physics.foot_contact, dt, frequency, fresh)
        self._clock.advance(command, dt)
        self._acting.track()
        self.transitions += self._total_envs

    def _read_state(self) -> State:
        past = self._acting.past
        return sensing.read(self.physics, self._history, self._clock, past, self.robot, self.config)

    def _next_command(self, share: float) -> None:
        left = self._history.command_left
        left -= self.config.simulation.dt
        (due,) = np.nonzero(left <= 1e-9)
        if len(due):
            self._draw_commands(due, share)

    def _draw_commands(self, ids: np.ndarray, share: float) -> None:
        history = self._history
        drawn = commands.sample(self.config.commands, len(ids), self._rng, share)
        history.command[ids], history.command_left[ids] = drawn

    def set_command(self, command: np.ndarray) -> np.ndarray:
        """Give every simulation this command, (entries,) or (n, entries), until it is reset, and
        return what it observes now, (n, width).

        Those that have not moved yet begin in the gait that it asks for.
        """
        self._history.command[:] = command
        self._history.command_left[:] = np.inf
        self._clock.restart(np.flatnonzero(self._history.steps == 0), self._history.command)
        clocks = self._clock.foot_phase(self._history.phase)
        now = {"command": self._history.command.copy(), "foot_phase": clocks}
        self.state = replace(self.state, **now)
        return self._observe()

    def _observe(self) -> np.ndarray:
        noise = self.config.randomization.noise
        terms, layout = self.config.observations, self.layout
        return observations.observe(terms, layout, self.state, self._rng, noise)

    def _reset_rows(self, done: np.ndarray, observation: np.ndarray) -> np.ndarray:
        """Return the observations with the finished simulations' rows starting anew."""
        self._restart(np.flatnonzero(done))
        self.state = self._read_state()
        return np.where(done[:, None], self._observe(), observation)

    def _restart(self, ids: np.ndarray) -> None:
        rng, config, history = self._rng, self.config.randomization, self._history
        self._models.redraw(ids, rng)
        self._place(ids, self.config.start(self.robot, len(ids), rng))
        again, rows = self._visited.draw(ids, rng)
        if len(again):
            self._place(again, rows)
        self.physics.lift(ids)
        self._draw_commands(ids, self.levels(self.transitions)["commands"])
        history.push_left[ids] = rng.uniform(0.0, config.push_interval, len(ids))
        phase = rng.uniform(*config.phase, len(ids)) if config.phase else 0.0
        history.restart(ids, self.physics.joint_vel[ids], phase)
        self._clock.restart(ids, history.command)
        self._acting.restart(ids, rng)
        self._log.clear(ids)

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of all that the next steps depend on, in nested dicts of arrays."""
        return {
            "physics": self.physics.state.copy(),
            "models": self._models.state_dict(),
            "history": self._history.state_dict(),
            "clock": self._clock.state_dict(),
            "log": self._log.state_dict(),
            "rng": self._rng.bit_generator.state,
            "transitions": self.transitions,
            **self._acting.state_dict(),
            **self._visited.state_dict(),
            **self.levels.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on, bitwise, where an environment of the same config and num_envs stood.

        Raises:
            ValueError: the state has another shape of simulations.
        """
        mine, given = self.physics.state.shape, state["physics"].shape
        require(given == mine, "state_dict's physics", given, f"of shape {mine}")
        self._models.load_state_dict(state["models"])
        self.physics.restore(state["physics"])
        self._history.load_state_dict(state["history"])
        self._clock.load_state_dict(state.get("clock", {}))
        self._log.load_state_dict(state["log"])
        for part in (self._acting, self._visited, self.levels):
            part.load_state_dict(state)
        self._rng.bit_generator.state = state["rng"]
        self.transitions = state["transitions"]
        self.state = self._read_state()
