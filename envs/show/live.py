"""A policy that is watched and steered while it runs, at the pace of the clock."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Mapping

import mujoco
import numpy as np

from envs.bounds import require
from envs.judge.protocol import Act
from envs.mdp.commands import VELOCITY, Commands
from envs.mdp.gaits.commanded import command_of, named_gaits
from envs.mdp.gaits.footfalls import asked
from envs.mdp.starts import nominal
from envs.render.camera import reach
from envs.render.overlay import ContactHistory
from envs.show.command_schedule import Schedule, usual
from envs.sim.randomization import Randomization, push_velocities
from envs.vector import LocomotionVectorEnv

SPEEDS = (0.1, 2.0)
"""Slowest and fastest pace, in seconds of the simulation per second."""
PUSHES = (0.0, 2.0)
"""Weakest and strongest push (m/s)."""
NUDGES = 10
"""Steps from standing to the largest command, for keys."""
IDLE = 0.1
"""Time between looks at a paused simulation (s)."""
LATEST = 0.1
"""A loop that lags further behind the clock (s) lets the lost time go."""


class Live:
    """One simulation under a policy, with the command, pushes and pace that a viewer asks for.

    Its methods belong to the thread of `run`; others hand theirs over by `request`. A fallen
    robot starts anew and keeps its command.

    Args:
        env: one simulation with autoreset.
        agents: who can act: a function that loads each, by its name.
        agent: who acts first.
        seed: seed of the environment and of the pushes.
        command: in the units of its entries; None for the command schedule
            until the first `steer`.
        schedule: by the task's commands.

    Raises:
        ValueError: more than one simulation, or an agent that cannot be loaded.
    """

    def __init__(
        self,
        env: LocomotionVectorEnv,
        agents: Mapping[str, Callable[[], Act]],
        agent: str,
        seed: int,
        command: tuple[float, ...] | None = None,
        schedule: Callable[[Commands], Schedule] = usual,
    ) -> None:
        require(env.num_envs == 1, "num_envs", env.num_envs, "1 to be watched")
        self.env, self.agents = env, agents
        self.gaits = named_gaits(env.config.commands)
        """Names of the gaits that can be asked for; none where the task commands none."""
        self._schedule = schedule(env.config.commands)
        self._contacts = ContactHistory(env.config.simulation.dt, len(env.robot.feet))
        self.limits = _limits(env, command)
        """Lowest and highest commands, the given one among them, (entries, 2)."""
        self.command = env.config.commands.standing.clip(*self.limits.T)
        self.scheduled = command is None
        self.paused, self.speed, self.push_speed = False, 1.0, 1.0
        self.steps = self.falls = 0
        self._requests: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._rng = np.random.default_rng(seed)
        self.model = env.shown_model()
        """The simulation's coordinates and the geoms to be shown."""
        self.data = mujoco.MjData(self.model)
        self.reach = reach(self.model, env.robot)
        """How far the robot reaches from its base (m)."""
        self._base = self.model.body(env.robot.base).id
        self.swap(agent)
        env.reset(seed=seed)
        self._give_command()
        if command is not None:
            self.steer(np.array(command))

    @property
    def time(self) -> float:
        """Time that has passed in the simulation (s)."""
        return self.steps * self.env.config.simulation.dt

    @property
    def velocity(self) -> np.ndarray:
        """Actual forward and leftward speed (m/s) and yaw rate (rad/s), (3,)."""
        return self.env.state.velocity[0]

    @property
    def velocity_command(self) -> np.ndarray:
        """The same as commanded, (3,); 0 where the task commands no velocities."""
        return self.env.state.velocity_command[0]

    @property
    def position(self) -> np.ndarray:
        """Position of the shown base (m), (3,)."""
        return self.data.xpos[self._base]

    @property
    def below(self) -> np.ndarray:
        """The point of the ground below the shown base (m), (3,)."""
        place = self.position[:2]
        return np.array([*place, self.env.config.terrain.height(place)])

    @property
    def heading(self) -> float:
        """Direction in which the shown base looks (rad)."""
        axis = self.data.xmat[self._base].reshape(3, 3)[:, 0]
        return float(np.arctan2(axis[1], axis[0]))

    def request(self, change: Callable[[], None]) -> None:
        """Have the loop call `change` between two steps; any thread may ask."""
        self._requests.put(change)

    def steer(self, command: np.ndarray) -> None:
        """Set the command (entries,) within the limits, and end the schedule; NaN counts as 0."""
        self.scheduled = False
        self.command = np.nan_to_num(command).clip(*self.limits.T)
        self._give_command()

    def steer_entry(self, axis: int, value: float) -> None:
        """Set one entry of the command; the others of a schedule that this ends stand still."""
        command = self._kept()
        command[axis] = value
        self.steer(command)

    def nudge(self, name: str, direction: int) -> None:
        """Change an entry of the command by a tenth of its largest value, if the task has it."""
        names = self.env.config.commands.names
        if name in names:
            axis = names.index(name)
            step = direction * np.abs(self.limits[axis]).max() / NUDGES
            self.steer_entry(axis, round(float(self.command[axis] + step), 9))

    @property
    def gait(self) -> str:
        """The gait of the last seconds by the footfalls, as `envs.mdp.gaits.footfalls` names it."""
        return self._contacts.gait

    @property
    def asked_gait(self) -> str | None:
        """The gait that is commanded, None where none is."""
        return asked(self.env.config.commands.names, self.command)

    def ask_gait(self, gait: str) -> None:
        """Command a gait by its name; the velocity stays, unless a schedule ends.

        Raises:
            ValueError: none of `gaits`.
        """
        require(gait in self.gaits, "gait", repr(gait), f"one of {', '.join(self.gaits)}")
        commands = self.env.config.commands
        wanted, command = command_of(commands, gait, {}), self._kept()
        steps = np.array([name not in VELOCITY for name in commands.names])
        self.steer(np.where(steps, wanted, command))

    def next_gait(self) -> None:
        """Command the next gait, the first one after the last."""
        if self.gaits:
            names, now = list(self.gaits), self.asked_gait
            at = names.index(now) if now in names else -1
            self.ask_gait(names[(at + 1) % len(names)])

    def push(self) -> None:
        """Give the base a velocity jump of `push_speed` (m/s) in a random horizontal direction."""
        law = Randomization(push=(self.push_speed, self.push_speed))
        self.env.physics.push(np.zeros(1, np.int64), push_velocities(law, 1, self._rng))

    def overturn(self) -> None:
        """Drop the robot on its back, where it is."""
        env, turned = self.env, np.array([0.0, 1.0, 0.0, 0.0])  # half a turn about the x axis
        rows, place = nominal(env.robot, 1, self._rng), env.physics.base_pos_w[0, :2]
        rows.base_pose[0] = [*place, env.robot.leg_length, *turned]
        rows.base_pose[:, 2] += env.config.terrain.height(rows.base_pose[:, :2])
        env.physics.set_rows(np.zeros(1, np.int64), *rows)

    def reset(self) -> None:
        """Start the robot anew; command and agent stay."""
        self.env.reset()
        self._give_command()

    def pause(self) -> None:
        """Pause, or go on."""
        self.paused = not self.paused

    def single_step(self) -> None:
        """Pause, and take one step."""
        self.paused = True
        self.step()

    def stand(self) -> None:
        """Command the robot to stand still."""
        self.steer(self._standing())

    def set_speed(self, speed: float) -> None:
        """Set the speed, within SPEEDS; below 1 is slow motion."""
        self.speed = _within(speed, SPEEDS)

    def set_push_speed(self, push_speed: float) -> None:
        """Set the velocity jump of a push (m/s), within PUSHES."""
        self.push_speed = _within(push_speed, PUSHES)

    def toggle_schedule(self) -> None:
        """Start the command schedule, or end it and stand."""
        self.scheduled = not self.scheduled
        if not self.scheduled:
            self.stand()

    def swap(self, agent: str) -> None:
        """Let another agent act, loaded now.

        Raises:
            ValueError: an unknown agent, or one that cannot be loaded; the former one stays.
        """
        require(agent in self.agents, "agent", repr(agent), f"one of {', '.join(self.agents)}")
        self._act = self.agents[agent]()
        self.agent = agent

    def swap_next(self) -> None:
        """Let the next agent act, the first one after the last."""
        names = list(self.agents)
        self.swap(names[(names.index(self.agent) + 1) % len(names)])

    def step(self) -> None:
        """Advance by one control step."""
        if self.scheduled:
            command = self._schedule(self.time)
            if not np.array_equal(command, self.command):
                self.command = command
                self._give_command()
        self._observation, _, fell, ended, _ = self.env.step(self._act(self._observation))
        self.steps += 1
        self._contacts.add(self.env.last_state.foot_contact[0], self.time)
        self.falls += int(fell[0])
        if fell[0] or ended[0]:
            self._give_command()

    def _standing(self) -> np.ndarray:
        """Return the command to stand still, (entries,), in the gait that is asked for."""
        standing = self.env.config.commands.standing
        if self.gaits:
            names = self.env.config.commands.names
            standing = np.where([name in VELOCITY for name in names], standing, self.command)
        return standing.clip(*self.limits.T)

    def _kept(self) -> np.ndarray:
        """Return the command that a change of one entry keeps: of a schedule it stands still."""
        return self._standing() if self.scheduled else self.command.copy()

    def _give_command(self) -> None:
        """Command the robot, from the very next action on and in a new episode, too."""
        self._observation = self.env.set_command(self.command)

    def pose(self) -> mujoco.MjData:
        """Bring `data`, of the model that is shown, up to date and return it."""
        self.env.physics.pose(0, self.data)
        mujoco.mj_forward(self.model, self.data)
        return self.data

    def run(self, show: Callable[[], None], running: Callable[[], bool]) -> None:
        """Step at the pace of the clock, without drift, and serve requests in between.

        Args:
            show: called after every step, and now and then in a pause.
            running: whether to go on.
        """
        due = time.monotonic()
        while running():
            if self.paused:
                due = time.monotonic() + IDLE
            else:
                self.step()
                dt = self.env.config.simulation.dt / self.speed
                due = max(due + dt, time.monotonic() - LATEST)
            show()
            self._serve(due)

    def _serve(self, due: float) -> None:
        """Call what was requested by now, then whatever is until a time on the clock (s)."""
        for _ in range(self._requests.qsize()):
            self._requests.get()()
        while (left := due - time.monotonic()) > 0:
            try:
                self._requests.get(timeout=left)()
            except queue.Empty:
                return


ACTIONS: dict[str, Callable[[Live], None]] = {
    "Forwards": lambda live: live.nudge("lin_vel_x", 1),
    "Backwards": lambda live: live.nudge("lin_vel_x", -1),
    "To the left": lambda live: live.nudge("lin_vel_y", 1),
    "To the right": lambda live: live.nudge("lin_vel_y", -1),
    "Turn left": lambda live: live.nudge("yaw_rate", 1),
    "Turn right": lambda live: live.nudge("yaw_rate", -1),
    "Stand": Live.stand,
    "Schedule": Live.toggle_schedule,
    "Push": Live.push,
    "Overturn": Live.overturn,
    "Pause": Live.pause,
    "Step": Live.single_step,
    "Reset": Live.reset,
    "Slower": lambda live: live.set_speed(live.speed / 2),
    "Faster": lambda live: live.set_speed(live.speed * 2),
    "Next policy": Live.swap_next,
    "Next gait": Live.next_gait,
}
"""What a key or a button can ask for."""


def _limits(env: LocomotionVectorEnv, command: tuple[float, ...] | None) -> np.ndarray:
    """Return the task's ranges (entries, 2), with standing and a command among them."""
    ranges = env.config.commands.ranges
    limits = np.column_stack([ranges.min(1), ranges.max(1)])
    asked = np.array([0.0 if name in VELOCITY else np.nan for name in env.config.commands.names])
    for given in (asked, command):
        if given is not None:
            limits[:, 0], limits[:, 1] = np.fmin(limits[:, 0], given), np.fmax(limits[:, 1], given)
    return limits


def _within(value: float, limits: tuple[float, float]) -> float:
    """Return the value within its limits, the lowest for NaN."""
    return min(max(limits[0], value), limits[1])
