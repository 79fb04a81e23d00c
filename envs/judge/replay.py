"""A recorded fault again: the same simulation from the same state under the same controls."""

from __future__ import annotations

import json
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import mujoco
import numpy as np

from envs import tasks
from envs.bounds import require
from envs.mdp.starts import NOMINAL
from envs.render.gl import choose_backend
from envs.sim import DRIVES, TERRAINS
from envs.sim.faults import FORMAT
from envs.sim.quantities import MAX_SPEED
from envs.sim.randomization import LAWS, ModelRandomizer, Randomization
from envs.sim.scene import Simulation
from envs.vector import LocomotionVectorEnv
from robots import get_robot
from robots.usage import UsageError

T = TypeVar("T")


def load(path: Path) -> dict[str, np.ndarray]:
    """Read a file of a run's `faults`; runs no code from it.

    Raises:
        ValueError: it is missing, damaged, or something else.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            fault = dict(file)
    except (FileNotFoundError, IsADirectoryError) as error:
        raise UsageError(f"fault {path}: there is no such file") from error
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise UsageError(f"fault {path}: damaged, or no .npz file of plain numbers") from error
    if str(fault.get("format")) != FORMAT:
        raise UsageError(f"fault {path}: an .npz file, but not a {FORMAT}")
    return fault


class Replay(LocomotionVectorEnv):
    """The simulation of a fault; a step is one physics step, under the recorded controls.

    Args:
        fault: what `load` gives.
        kwargs: of `LocomotionVectorEnv`: render_mode, render_size.

    Raises:
        ValueError: the fault lacks something, or does not fit this code's model of the robot.
    """

    def __init__(self, fault: dict[str, np.ndarray], **kwargs: Any) -> None:
        self.reason, self.engine = str(fault.get("reason")), str(fault.get("engine", "batch"))
        self._fields = {n[6:]: row[None] for n, row in fault.items() if n.startswith("model.")}
        try:
            settings = json.loads(str(fault["settings"]))
            recorded, self._hold = Simulation(**settings["simulation"]), int(settings["hold"])
            drive = _made(DRIVES, settings["drive"])
            terrain = _made(TERRAINS, settings["terrain"])
            robot = str(fault["robot"])
            self._start, self._end = fault["state"], fault["end"]
            self._controls, self._pushes = fault["controls"], fault["pushes"]
            self._shown_command = fault["command"]
            task = tasks.make("walk", get_robot(robot))
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(f"the fault is incomplete or of other code: {error}") from error
        config = replace(
            task,
            simulation=replace(recorded, substeps=1, nthread=1),
            drive=drive,
            terrain=terrain,
            start=NOMINAL,
            randomization=Randomization(),
        )
        super().__init__(1, robot=robot, config=config, autoreset=False, **kwargs)
        changed = [n for n, law in LAWS.items() if any(f in self._fields for f in law.fields)]
        self._models = ModelRandomizer(
            self.physics, self.robot, config.randomization, always=tuple(changed)
        )
        self._acting.substep = None  # the controls are the recorded ones
        self.recorded, self._index = recorded, 0
        self._check_shapes()

    def _check_shapes(self) -> None:
        found = {"state": self._start, "end": self._end, **self._fields}
        own = {name: field[:1] for name, field in self._models.state_dict().items()}
        physics, steps = self.physics, len(self._controls)
        size = physics.state.shape[1:]
        wanted = {"state": size, "end": size, **{name: field.shape for name, field in own.items()}}
        found |= {"controls": self._controls, "pushes": self._pushes}
        found["command"] = self._shown_command
        wanted |= {"controls": (steps, physics.model.nu), "pushes": (steps, 2), "command": (3,)}
        require(steps > 0, "the fault's length", steps, "one control step or more")
        for name in found | wanted:
            shape = found[name].shape if name in found else "missing"
            require(shape == wanted.get(name), f"the fault's {name}", shape, str(wanted.get(name)))

    def __len__(self) -> int:
        """Number of physics steps."""
        return len(self._controls) * self._hold

    @property
    def seconds(self) -> float:
        """Time until it diverges, or all of the record's (s)."""
        first = self.diverges_at()
        steps = len(self) if first is None else first + 1
        return steps * self.config.simulation.dt

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Put the simulation into the record's first state."""
        super().reset(seed=seed, options=options)
        self._index = 0
        self._models.load_state_dict(self._fields)
        self.physics.restore(self._start[None])
        self.state = self._read_state()
        self.set_command(self._shown_command)
        return self._observe(), {}

    def _act(self, actions: np.ndarray) -> None:
        """Apply the recorded control, and the push where there was one, in place of an action."""
        last = len(self._controls) - 1
        step, substep = divmod(self._index, self._hold)
        if substep == 0 and step <= last and self._pushes[step].any():
            self.physics.push(np.zeros(1, np.int64), self._pushes[step][None])
        self.physics.apply(self._controls[min(step, last)])
        self._index += 1

    def diverges_at(self) -> int | None:
        """Run the whole record; return the physics step that diverges first, from 0, if any does.

        The simulation is left as it is at the end of the record.
        """
        self.reset()
        first = None
        for i in range(len(self)):
            self._act(self._history.action)
            if self.physics.step()[0] and first is None:
                first = i
        return first

    def explain(self) -> str:
        """Return what went wrong, where in the record it does so again, and if bitwise so."""
        first = self.diverges_at()
        same = np.array_equal(self.physics.state[0], self._end, equal_nan=True)
        self.reset()
        model, steps = self.physics.model, len(self) if first is None else first
        seconds = len(self) * model.opt.timestep
        for _ in range(steps):
            self._act(self._history.action)
            self.physics.step()
        lines = [f"{self.reason}; recorded: its last {seconds:.2f} s"]
        if first is None:
            lines.append(f"it does not diverge; {self._fastest()} at the end")
        else:
            where = f"at {(first + 1) * model.opt.timestep:.3f} s, in physics step {first + 1}"
            before = self._fastest()
            self._act(self._history.action)
            self.physics.step()
            lines.append(f"it diverges {where} of {len(self)}: {self._fastest()}; before: {before}")
            lines[-1] += self._warnings() + self._bad_controls(steps)
        known = "the states are bitwise those recorded"
        other = "the states are not those recorded: another version of the code, or an intervention"
        if self.engine != "batch":
            other = f"the states are not those recorded: {self.engine} simulated it, in 32 bits"
        return "\n".join([*lines, known if same else other])

    def _coordinates(self) -> mujoco.MjData:
        data = mujoco.MjData(self.physics.model)
        self.physics.pose(0, data)
        return data

    def _fastest(self) -> str:
        """Return the name and speed of the fastest coordinate."""
        model, speed = self.physics.model, self._coordinates().qvel
        dof = int(np.argmax(np.where(np.isfinite(speed), np.abs(speed), np.inf)))
        joint = model.joint(int(model.dof_jntid[dof]))
        axis = dof - int(joint.dofadr[0])
        name, unit = joint.name, "rad/s"
        if joint.type[0] == mujoco.mjtJoint.mjJNT_FREE:
            kind = "velocity" if axis < 3 else "turning rate"
            name, unit = f"the base's {'xyz'[axis % 3]} {kind}", "m/s" if axis < 3 else "rad/s"
        return f"{name} {speed[dof]:.4g} {unit} (limit {MAX_SPEED:g})"

    def _bad_controls(self, step: int) -> str:
        control = self._controls[step // self._hold]
        names = [self.robot.joints[k] for k in np.flatnonzero(~np.isfinite(control))]
        return f"; the controls of {', '.join(names)} are not finite" if names else ""

    def _warnings(self) -> str:
        counts = self.physics.warnings[0]
        names = [mujoco.mjtWarning(k).name.removeprefix("mjWARN_") for k in np.flatnonzero(counts)]
        return f"; MuJoCo warns of {', '.join(names)}" if names else ""


def _made(known: dict[str, type[T]], settings: dict[str, Any]) -> T:
    """Return the object of a registry that a record names, with its settings."""
    return known[settings.pop("name")](**settings)


def rendering(
    fault: dict[str, np.ndarray], n: int, size: tuple[int, int], seconds: float
) -> Replay:
    """Make the simulation of a fault for a camera; it is one, of the record's length.

    Args:
        fault: what `load` gives.
        n, seconds: what other environments for a camera are asked for.
        size: width and height of a frame (pixels).

    Raises:
        OpenGLError: this machine cannot render.
    """
    choose_backend()
    return Replay(fault, render_mode="rgb_array", render_size=size)
