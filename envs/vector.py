"""The vector environment: n simulations of one task, stepped together on a thread pool."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from envs import tasks
from envs.mdp import commands, observations, symmetry, terminations
from envs.mdp.episode import EpisodeLog
from envs.mdp.state import State
from envs.render.renderer import BatchRenderer
from envs.sim import scene
from envs.sim.faults import MAX_RECORDS
from envs.sim.physics import Physics
from envs.sim.randomization import ModelRandomizer, pushes, start_rows
from envs.task import TaskConfig, require
from robots import get_robot

_HISTORY = (
    "_steps",
    "_command",
    "_command_left",
    "_push_left",
    "_action",
    "_previous_action",
    "_joint_vel",
    "_joint_acc",
    "_foot_contact",
    "_touchdown",
    "_air_time",
    "_phase",
)
"""Per-simulation arrays beside the physics' own state."""


class LocomotionVectorEnv(VectorEnv):
    """Gymnasium vector environment over `mujoco.batch.Batch`, with same-step autoreset.

    Observations (n, observation) float32, actions (n, joints) in [-1, 1]. When an episode ends,
    the returned observation is the next episode's first one and `info` holds `final_obs`
    (n, observation) with the mask `_final_obs` (n,), and `episode_means`, a dict of means over the
    episode, (n,) each, with the mask `_episode_means`: every reward term per second, tracking
    errors, falls. Where simulations blew up, `diverged` (n,) says which; `faults` lists what
    `envs.sim.replay` needs to repeat one that blew up or gave a NaN or an infinity.

    Args:
        num_envs: number of simulations.
        task: a task of `envs.tasks.TASKS`.
        robot: a robot of `robots.ROBOTS`.
        config: the task's definition; None takes the task's own for this robot.
        render_mode: None, or `rgb_array` for `render()`.
        render_size: width and height of a frame (pixels).
        autoreset: False leaves finished simulations as they are, for `LocomotionEnv`.
        total_envs: simulations that learn together, which the curriculum counts, where other
            environments hold some of them; None for these alone.

    Raises:
        ValueError: an unknown task, robot or render mode, a num_envs below 1, or gait offsets that
            do not suit the robot's feet.
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
        robot: str = "anymal_c",
        config: TaskConfig | None = None,
        render_mode: str | None = None,
        render_size: tuple[int, int] = (1280, 720),
        autoreset: bool = True,
        total_envs: int | None = None,
    ) -> None:
        require(num_envs >= 1, "num_envs", num_envs, "at least 1")
        need = "None or 'rgb_array'"
        require(render_mode in (None, "rgb_array"), "render_mode", repr(render_mode), need)
        self.num_envs, self.render_mode, self.render_size = num_envs, render_mode, render_size
        self.robot = get_robot(robot)
        self.config = config if config is not None else tasks.make(task, self.robot)
        offsets, feet = self.config.gait.offsets, len(self.robot.feet)
        require(len(offsets) == feet, "gait offsets", offsets, f"{feet} numbers, one a leg")
        simulation = self.config.simulation
        self.metadata = self.metadata | {
            "autoreset_mode": AutoresetMode.SAME_STEP if autoreset else AutoresetMode.DISABLED,
            "render_fps": round(1 / simulation.dt),
        }
        self._autoreset, self._total_envs = autoreset, total_envs or num_envs
        model = scene.build(self.robot, simulation, self.config.action.mode)
        self.physics = Physics(model, self.robot, num_envs, simulation)
        randomization = self.config.randomization
        self._models = ModelRandomizer(self.physics.batch, self.robot, randomization)
        self._nominal = np.array(self.robot.nominal_pose)
        self._max_steps = round(self.config.episode_length / simulation.dt)
        self._rng = np.random.default_rng()
        self.transitions = 0
        self._records_left = MAX_RECORDS
        self._allocate(num_envs)
        self._define_spaces()
        self._renderer: BatchRenderer | None = None

    def _allocate(self, n: int) -> None:
        joints, feet = len(self.robot.joints), len(self.robot.feet)
        self._steps = np.zeros(n, np.int64)
        self._command, self._command_left = np.zeros((n, 3)), np.zeros(n)
        self._push_left = np.zeros(n)
        self._action, self._previous_action = np.zeros((n, joints)), np.zeros((n, joints))
        self._joint_vel, self._joint_acc = np.zeros((n, joints)), np.zeros((n, joints))
        self._foot_contact, self._touchdown = np.ones((n, feet), bool), np.zeros((n, feet), bool)
        self._air_time, self._phase = np.zeros((n, feet)), np.zeros(n)
        self._offsets = np.array(self.config.gait.offsets)
        self._log = EpisodeLog(self.config.rewards, n)

    def _define_spaces(self) -> None:
        self.state = self._read_state()
        self.layout = observations.layout(self.config.observations, self.state)
        width = max(s.stop for s in self.layout.values())
        joints = len(self.robot.joints)
        self.single_observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (width,), np.float32)
        self.single_action_space = gymnasium.spaces.Box(-1.0, 1.0, (joints,), np.float32)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        group = symmetry.of_robot(self.robot, self.physics.batch.model)
        self.mirrors = group
        self.symmetry = symmetry.of_task(group, self.config.observations, self.layout)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start every simulation anew; a seed restarts the environment's only generator."""
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        self._restart(np.arange(self.num_envs))
        self.state = self._read_state()
        return self._observe(), {}

    def step(
        self, actions: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Advance every simulation by one control step; the MDP, in order.

        Args:
            actions: (n, joints), clipped to [-1, 1].
        """
        self._act(actions)
        self._push()
        diverged = self.physics.step()
        faults = self._record(diverged, "diverged")
        self._recover(diverged)

        self._track(diverged)
        self.state = self._read_state()
        self._steps += 1
        self.transitions += self._total_envs
        terminated = self.state.terminated = diverged | terminations.fallen(
            self.state, self.config.termination
        )
        truncated = ~terminated & (self._steps >= self._max_steps)
        k = self.config.curriculum.factor(self.transitions)
        reward = self._log.reward(self.state, diverged, k)

        self._next_command()
        observation, done = self._observe(), terminated | truncated
        finite = np.isfinite(observation.sum(axis=1) + reward)
        faults += self._record(~finite, "gave a number that is not finite")
        info: dict[str, Any] = {"diverged": diverged} if diverged.any() else {}
        if faults:
            info["faults"] = faults
        if done.any():
            info |= self._log.episodes(done, self.state.dt)
            if self._autoreset:
                info |= {"final_obs": observation, "_final_obs": done}
                observation = self._reset_rows(done, observation)
        return observation, reward, terminated, truncated, info

    def reward_rates(self) -> dict[str, np.ndarray]:
        """Return each term's reward per second in the last step, (n,), before any reset."""
        return {name: value / self.config.simulation.dt for name, value in self._log.last.items()}

    def render(self) -> tuple[np.ndarray, ...] | None:
        """Return a frame (height, width, 3) uint8 of every simulation in mode `rgb_array`."""
        if self.render_mode != "rgb_array":
            return None
        if self._renderer is None:
            simulation, mode = self.config.simulation, self.config.action.mode
            model = scene.build(self.robot, simulation, mode, visual=True)
            self._renderer = BatchRenderer(
                self.physics.batch, model, self.robot, simulation.dt, *self.render_size
            )
        return self._renderer.frames(self.state)

    def close_extras(self, **kwargs: Any) -> None:
        """Free the renderer."""
        if self._renderer is not None:
            self._renderer.close()

    def _act(self, actions: np.ndarray) -> None:
        self._previous_action, action = self._action, self._previous_action
        np.clip(actions, -1.0, 1.0, out=action)
        self._action = action
        if self.config.action.mode == "pd":
            target = self._nominal + self.config.action.scale * action
        else:
            target = self.robot.torque_limit * action
        self.physics.apply(target)

    def _push(self) -> None:
        randomization = self.config.randomization
        if not randomization.pushes:
            return
        self._push_left -= self.config.simulation.dt
        (due,) = np.nonzero(self._push_left <= 0)
        if len(due):
            self.physics.push(due, pushes(randomization, len(due), self._rng))
            self._push_left[due] += randomization.push_interval

    def _recover(self, diverged: np.ndarray) -> None:
        """Put simulations that blew up into the nominal stance, so that all numbers are finite."""
        (ids,) = np.nonzero(diverged)
        if len(ids):
            upright = replace(self.config.randomization, start_state=False)
            self.physics.set_rows(ids, *start_rows(self.robot, upright, len(ids), self._rng))
            self._action[ids] = 0.0  # it may be the one that is not finite

    def _record(self, broken: np.ndarray, what: str) -> list[dict[str, Any]]:
        """Return the record of the first of the simulations that are marked, if any is."""
        if not broken.any() or not self._records_left:
            return []
        self._records_left -= 1
        i = int(np.argmax(broken))
        terms = [n for n, value in self._log.last.items() if not np.isfinite(value[i])]
        reason = f"simulation {i} {what}" + (f": {', '.join(terms)}" if terms else "")
        models = {name: field[i] for name, field in self._models.state_dict().items()}
        fault = self.physics.recorder.fault(i, reason, self.robot.name, self.config, models)
        return [fault | {"command": self._command[i].copy()}]

    def _track(self, fresh: np.ndarray) -> None:
        """Advance what needs history: accelerations, swings; fresh rows have none."""
        joint_vel, contact = self.physics.joint_vel, self.physics.foot_contact
        dt, was_in_contact = self.config.simulation.dt, self._foot_contact
        self._joint_acc = (joint_vel - self._joint_vel) / dt
        self._joint_acc[fresh] = 0.0
        self._touchdown = contact & ~was_in_contact
        self._air_time = np.where(was_in_contact & contact, 0.0, self._air_time + dt)
        self._air_time[was_in_contact] = dt * ~contact[was_in_contact]
        self._phase = (self._phase + dt * self.config.gait.frequency) % 1.0
        self._joint_vel, self._foot_contact = joint_vel, contact

    def _read_state(self) -> State:
        physics = self.physics
        return State(
            dt=self.config.simulation.dt,
            nominal_pose=self._nominal,
            base_height=physics.base_height,
            lin_vel_b=physics.lin_vel_b,
            ang_vel_b=physics.ang_vel_b,
            gravity_b=physics.gravity_b,
            joint_pos=physics.joint_pos,
            joint_vel=physics.joint_vel,
            joint_acc=self._joint_acc,
            torque=physics.torque,
            foot_height=physics.foot_height,
            foot_vel_w=physics.foot_vel_w,
            foot_contact=self._foot_contact,
            touchdown=self._touchdown,
            air_time=self._air_time,
            foot_phase=2 * np.pi * (self._phase[:, None] + self._offsets),
            leg_contact=physics.leg_contact,
            base_contact=physics.base_contact,
            command=self._command,
            action=self._action,
            previous_action=self._previous_action,
            terminated=np.zeros(self.num_envs, bool),
        )

    def _next_command(self) -> None:
        self._command_left -= self.config.simulation.dt
        (due,) = np.nonzero(self._command_left <= 1e-9)
        if len(due):
            self._draw_commands(due)

    def _draw_commands(self, ids: np.ndarray) -> None:
        drawn = commands.sample(self.config.commands, len(ids), self._rng)
        self._command[ids], self._command_left[ids] = drawn

    def set_command(self, command: np.ndarray) -> None:
        """Give every simulation this command (vx, vy, yaw rate), (3,), until it is reset."""
        self._command[:] = command
        self._command_left[:] = np.inf

    def _observe(self) -> np.ndarray:
        rng = self._rng if self.config.randomization.noise else None
        return observations.observe(self.config.observations, self.layout, self.state, rng)

    def _reset_rows(self, done: np.ndarray, observation: np.ndarray) -> np.ndarray:
        """Return the observations with the finished simulations' rows starting anew."""
        self._restart(np.flatnonzero(done))
        self.state = self._read_state()
        return np.where(done[:, None], self._observe(), observation)

    def _restart(self, ids: np.ndarray) -> None:
        rng, randomization = self._rng, self.config.randomization
        if randomization.model:
            self._models.redraw(ids, rng)
        self.physics.set_rows(ids, *start_rows(self.robot, randomization, len(ids), rng))
        self.physics.lift(ids)
        self._draw_commands(ids)
        self._push_left[ids] = rng.uniform(0.0, randomization.push_interval, len(ids))
        self._steps[ids] = 0
        for buffer in (self._action, self._previous_action, self._joint_acc):
            buffer[ids] = 0.0
        self._air_time[ids] = 0.0
        self._phase[ids] = rng.random(len(ids)) if randomization.start_state else 0.0
        self._joint_vel[ids] = self.physics.joint_vel[ids]
        self._foot_contact[ids], self._touchdown[ids] = True, False
        self._log.clear(ids)

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of all that the next steps depend on, in nested dicts of arrays."""
        return {
            "physics": self.physics.batch.state.copy(),
            "models": self._models.state_dict(),
            "history": {name: getattr(self, name).copy() for name in _HISTORY},
            "log": self._log.state_dict(),
            "rng": self._rng.bit_generator.state,
            "transitions": self.transitions,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on, bitwise, where an environment of the same config and num_envs stood.

        Raises:
            ValueError: the state has another shape of simulations.
        """
        mine, given = self.physics.batch.state.shape, state["physics"].shape
        require(given == mine, "state_dict's physics", given, f"of shape {mine}")
        self._models.load_state_dict(state["models"])
        self.physics.restore(state["physics"])
        for name in _HISTORY:
            getattr(self, name)[:] = state["history"][name]
        self._log.load_state_dict(state["log"])
        self._rng.bit_generator.state = state["rng"]
        self.transitions = state["transitions"]
        self.state = self._read_state()
