"""The compiled world of one simulation: ground, light, robot, drives and sensors."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import mujoco
import numpy as np

from envs.bounds import require, require_choice, require_whole, require_within
from envs.sim.drives import Drive
from envs.sim.terrain import MATERIAL, PREFIX, Flat, Terrain
from robots.check import check_stance, tips
from robots.robot import Collision, Robot
from robots.usage import UsageError

ContactModel = Literal["pyramidal", "elliptic"]
PhysicsModel = Literal["full", "fast"]
SWEEPS = 10
"""Of projected Gauss-Seidel, in fast physics."""
FULL_TIMESTEP = 0.005
"""Longest physics step (s) under which policies are judged."""
STIFF_CONTACT = (0.98, 0.98, 0.001, 0.5, 2.0)
"""solimp of the feet under pyramidal cones. The menagerie's soft foot (from 0.015) creeps sideways
there until the robot does the splits: after 10 s of holding the nominal pose the base stands at
0.32 m, with MuJoCo's default (0.9, 0.95) at 0.45 m, with this at 0.514 m; the menagerie's own
elliptic cones at impratio 100 give 0.512 m."""
_LIGHTS, _SUN = 2, 0.008
"""Number of lights, and the radius of their disc at a distance of 1."""
_FOUND = 1 << int(mujoco.mjtConDataField.mjCONDATA_FOUND)


@dataclass(frozen=True)
class Simulation:
    """How the world is stepped."""

    timestep: float = 0.005
    """Physics step (s)."""
    substeps: int = 4
    """Physics steps in one control step; 4 × 5 ms is 50 Hz control."""
    contact: ContactModel = "pyramidal"
    """`pyramidal`: friction cones for training, impratio 1, sliding friction only (fast);
    `elliptic`: impratio 100, with torsional and rolling friction (slow, a check)."""
    collision: Collision = "feet_and_body"
    """Which parts of the robot collide; `full` adds the hips and self-collision."""
    physics: PhysicsModel = "full"
    """`fast`, for training: 10 sweeps of projected Gauss-Seidel, joints without dry friction, and
    only feet collide; policies are judged under `full`."""
    nthread: int = 0
    """Simulation threads; 0 takes every core. The numbers do not depend on it."""

    def __post_init__(self) -> None:
        require_within("timestep", self.timestep, 1e-5, 0.02, "s")
        require_whole("substeps", self.substeps, 1, 1000)
        need = "at most 1 s (--substeps × --timestep)"
        require(self.dt <= 1, "control step", f"{self.dt:g} s", need)
        require_choice("contact", self.contact, ContactModel)
        require_choice("collision", self.collision, Collision)
        require_choice("physics", self.physics, PhysicsModel)
        require_whole("nthread", self.nthread, 0, 1024)

    @property
    def dt(self) -> float:
        """Control step (s)."""
        return self.timestep * self.substeps

    @property
    def full(self) -> Simulation:
        """The same at full physics; steps of fast physics are parted into some of FULL_TIMESTEP at
        most, so that what is a whole number of them, a delay or a lag, remains one.
        """
        if self.physics == "full":
            return self
        parts = math.ceil(self.timestep / FULL_TIMESTEP - 1e-6)
        timestep, substeps = self.timestep / parts, self.substeps * parts
        return replace(self, physics="full", timestep=timestep, substeps=substeps)


def build(
    robot: Robot,
    simulation: Simulation,
    drive: Drive,
    terrain: Terrain = Flat(),
    visual: bool = False,
) -> mujoco.MjModel:
    """Compile `describe`'s world.

    Without `visual` the geoms that only show are left out, which steps 13 % faster; the
    coordinates of both models are the same.

    Raises:
        ValueError: the robot's model lacks something, does not compile, or does not stand as the
            robot's numbers say.
    """
    try:
        spec = describe(robot, simulation, drive, terrain)
        spec.compiler.discardvisual = not visual
        model = spec.compile()
    except UsageError:
        raise
    except ValueError as error:
        problem = " ".join(str(error).split())
        raise UsageError(
            f"Robot {robot.name!r}: its model does not compile ({problem}); correct the model"
        ) from error
    check_stance(robot, model)
    return model


def describe(
    robot: Robot, simulation: Simulation, drive: Drive, terrain: Terrain = Flat()
) -> mujoco.MjSpec:
    """Return the robot on its ground with its drives, to be compiled."""
    fast = simulation.physics == "fast"
    spec = robot.spec("feet" if fast else simulation.collision)
    _add_world(spec)
    terrain.attach(spec)
    _add_lights(spec)
    _set_physics(spec, robot, simulation.timestep, simulation.contact)
    if fast:
        _simplify(spec)
    drive.attach(spec, robot)
    _add_sensors(spec, robot)
    return spec


def _add_world(spec: mujoco.MjSpec) -> None:
    """Sky, and the ground's material with lines 1 m apart."""
    spec.add_texture(
        name=f"{PREFIX}sky",
        type=mujoco.mjtTexture.mjTEXTURE_SKYBOX,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
        rgb1=[0.55, 0.68, 0.82],
        rgb2=[0.93, 0.95, 0.97],
        width=256,
        height=1536,
    )
    spec.add_texture(
        name=MATERIAL,
        type=mujoco.mjtTexture.mjTEXTURE_2D,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_CHECKER,
        mark=mujoco.mjtMark.mjMARK_EDGE,
        rgb1=[0.42, 0.46, 0.50],
        rgb2=[0.36, 0.40, 0.44],
        markrgb=[0.75, 0.78, 0.80],
        width=256,
        height=256,
    )
    grid = spec.add_material(name=MATERIAL, texrepeat=[1, 1], texuniform=True, reflectance=0.08)
    textures = grid.textures
    textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = MATERIAL
    grid.textures = textures


def _add_lights(spec: mujoco.MjSpec) -> None:
    """A sun: lights from round a point overhead, whose hard shadows together have soft edges.

    Hardly tilted: under lights that are slanted twice as much the ground has speckles.
    """
    for angle in 2 * np.pi * (np.arange(_LIGHTS) + 0.25) / _LIGHTS:
        spec.worldbody.add_light(
            pos=[0, 0, 6],
            dir=[_SUN * np.cos(angle), _SUN * np.sin(angle), -1],
            type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
            diffuse=[0.7 / _LIGHTS] * 3,
            specular=[0.3 / _LIGHTS] * 3,
            castshadow=True,
        )
    spec.visual.headlight.ambient = [0.35, 0.35, 0.35]
    spec.visual.headlight.diffuse = [0.5, 0.5, 0.5]
    spec.visual.quality.shadowsize = 4096
    spec.visual.global_.offwidth, spec.visual.global_.offheight = 1920, 1080


def _set_physics(spec: mujoco.MjSpec, robot: Robot, timestep: float, contact: ContactModel) -> None:
    spec.option.timestep = timestep
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    # Where neither foot nor ground has priority MuJoCo mixes their softness and takes the larger
    # friction: this one is kept, and from here on what a foot has is what counts.
    for foot in map(spec.geom, robot.feet):
        if foot.priority < 1:
            foot.priority = 1
            foot.friction = np.maximum(foot.friction, mujoco.MjSpec().default.geom.friction)
        foot.condim = max(foot.condim, 3)  # 1 has no friction
    if contact == "elliptic":
        spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
        spec.option.impratio = 100
        return
    spec.option.cone = mujoco.mjtCone.mjCONE_PYRAMIDAL
    spec.option.impratio = 1
    for foot in robot.feet:
        spec.geom(foot).condim = 3
        spec.geom(foot).solimp = STIFF_CONTACT


def sensor(quantity: str, name: str) -> str:
    """Return what the sensor of a quantity of an element of the robot is called."""
    return f"{PREFIX}{quantity}/{name}"


def _simplify(spec: mujoco.MjSpec) -> None:
    """Fewer constraints, solved by a cheaper method, which pays without dry friction alone."""
    spec.option.solver = mujoco.mjtSolver.mjSOL_PGS
    spec.option.iterations = SWEEPS
    for joint in spec.joints:
        joint.frictionloss = 0.0


def _add_sensors(spec: mujoco.MjSpec, robot: Robot) -> None:
    """Base velocities and gravity in the base frame; foot motion; contacts.

    Those of the base have short names, by which other programs read them in an exported model.
    """
    frame = f"{PREFIX}base"
    base = {"objtype": mujoco.mjtObj.mjOBJ_SITE, "objname": frame}
    spec.body(robot.base).add_site(name=frame, group=5)
    spec.add_sensor(name="lin_vel_b", type=mujoco.mjtSensor.mjSENS_VELOCIMETER, **base)
    spec.add_sensor(name="ang_vel_b", type=mujoco.mjtSensor.mjSENS_GYRO, **base)
    spec.add_sensor(
        name="up_b",
        type=mujoco.mjtSensor.mjSENS_FRAMEZAXIS,
        objtype=mujoco.mjtObj.mjOBJ_BODY,
        objname="world",
        reftype=mujoco.mjtObj.mjOBJ_SITE,
        refname=frame,
    )
    motions = {
        "foot_pos": mujoco.mjtSensor.mjSENS_FRAMEPOS,
        "foot_vel": mujoco.mjtSensor.mjSENS_FRAMELINVEL,
    }
    round_feet = all(spec.geom(f).type == mujoco.mjtGeom.mjGEOM_SPHERE for f in robot.feet)
    moving = mujoco.mjtObj.mjOBJ_GEOM if round_feet else mujoco.mjtObj.mjOBJ_SITE
    if not round_feet:
        _add_tips(spec, robot)
    for quantity, kind in motions.items():
        for foot in robot.feet:
            name = foot if round_feet else sensor("foot", foot)
            spec.add_sensor(name=sensor(quantity, foot), type=kind, objtype=moving, objname=name)
    if not round_feet:
        _add_feet_up(spec, robot)
    for foot in robot.feet:
        _add_contact_sensor(spec, sensor("foot_contact", foot), mujoco.mjtObj.mjOBJ_GEOM, foot)
    for body in dict.fromkeys((*robot.thighs, *robot.shanks, robot.base)):
        _add_contact_sensor(spec, sensor("contact", body), mujoco.mjtObj.mjOBJ_BODY, body)


def _add_tips(spec: mujoco.MjSpec, robot: Robot) -> None:
    """Sites where the legs stand on their feet, which of long ones is not in their middle."""
    model = spec.compile()
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    for shank, foot, tip in zip(robot.shanks, robot.feet, tips(robot, model, data), strict=True):
        body = data.body(shank)
        place = (tip - body.xpos) @ body.xmat.reshape(3, 3)
        spec.body(shank).add_site(name=sensor("foot", foot), pos=place, group=5)


def _add_feet_up(spec: mujoco.MjSpec, robot: Robot) -> None:
    """The vertical as the feet see it, by which one finds their undersides."""
    for foot in robot.feet:
        spec.add_sensor(
            name=sensor("foot_up", foot),
            type=mujoco.mjtSensor.mjSENS_FRAMEZAXIS,
            objtype=mujoco.mjtObj.mjOBJ_BODY,
            objname="world",
            reftype=mujoco.mjtObj.mjOBJ_GEOM,
            refname=foot,
        )


def _add_contact_sensor(
    spec: mujoco.MjSpec, name: str, objtype: mujoco.mjtObj, objname: str
) -> None:
    """A sensor of the number of contacts that an object has."""
    spec.add_sensor(
        name=name,
        type=mujoco.mjtSensor.mjSENS_CONTACT,
        objtype=objtype,
        objname=objname,
        intprm=[_FOUND, 0, 1],
    )


def posed(model: mujoco.MjModel, robot: Robot) -> mujoco.MjData:
    """Return data in which a robot is in its nominal stance, on flat ground."""
    data = mujoco.MjData(model)
    base = model.joint(model.body(robot.base).jntadr[0]).qposadr[0]
    data.qpos[base : base + 7] = (0, 0, robot.nominal_height, 1, 0, 0, 0)
    for joint, position in zip(robot.joints, robot.nominal_pose, strict=True):
        data.joint(joint).qpos = position
    mujoco.mj_forward(model, data)
    return data
