"""The compiled world of one simulation: ground, light, robot, drives and sensors."""

from __future__ import annotations

import mujoco

from envs.sim import drives as actuators
from envs.task import ActionMode, ContactModel, Simulation
from robots.robot import Robot

GROUND = "ground"
STIFF_CONTACT = (0.98, 0.98, 0.001, 0.5, 2.0)
"""solimp of the feet under pyramidal cones. The menagerie's soft foot (from 0.015) creeps sideways
there until the robot does the splits: after 10 s of holding the nominal pose the base stands at
0.32 m, with MuJoCo's default (0.9, 0.95) at 0.45 m, with this at 0.514 m; the menagerie's own
elliptic cones at impratio 100 give 0.512 m."""
_FOUND = 1 << int(mujoco.mjtConDataField.mjCONDATA_FOUND)


def build(
    robot: Robot, simulation: Simulation, mode: ActionMode, visual: bool = False
) -> mujoco.MjModel:
    """Compile `describe`'s world.

    Without `visual` the geoms that only show are left out, which steps 13 % faster; the
    coordinates of both models are the same.

    Raises:
        ValueError: the robot's model lacks something, or does not compile.
    """
    spec = describe(robot, simulation, mode)
    spec.compiler.discardvisual = not visual
    try:
        return spec.compile()
    except ValueError as error:
        problem = " ".join(str(error).split())
        raise ValueError(
            f"Robot {robot.name!r}: its model does not compile ({problem}); correct the model"
        ) from error


def describe(robot: Robot, simulation: Simulation, mode: ActionMode) -> mujoco.MjSpec:
    """Return the robot on flat ground with the drives of an action mode, to be compiled."""
    spec = robot.spec(simulation.collision)
    _add_world(spec)
    _set_physics(spec, robot, simulation.timestep, simulation.contact)
    actuators.attach(spec, robot, mode)
    _add_sensors(spec, robot)
    return spec


def _add_world(spec: mujoco.MjSpec) -> None:
    """Ground with a 1 m grid, sky and light."""
    spec.add_texture(
        name="sky",
        type=mujoco.mjtTexture.mjTEXTURE_SKYBOX,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
        rgb1=[0.55, 0.68, 0.82],
        rgb2=[0.93, 0.95, 0.97],
        width=256,
        height=1536,
    )
    spec.add_texture(
        name="grid",
        type=mujoco.mjtTexture.mjTEXTURE_2D,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_CHECKER,
        mark=mujoco.mjtMark.mjMARK_EDGE,
        rgb1=[0.42, 0.46, 0.50],
        rgb2=[0.36, 0.40, 0.44],
        markrgb=[0.75, 0.78, 0.80],
        width=256,
        height=256,
    )
    grid = spec.add_material(name="grid", texrepeat=[1, 1], texuniform=True, reflectance=0.08)
    textures = grid.textures
    textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = "grid"
    grid.textures = textures
    spec.worldbody.add_geom(
        name=GROUND,
        type=mujoco.mjtGeom.mjGEOM_PLANE,
        size=[0, 0, 0.05],
        material="grid",
        contype=1,
        conaffinity=1,
    )
    spec.worldbody.add_light(
        pos=[0, 0, 6],
        dir=[0, 0, -1],  # straight down: the ground would speckle under a slanted one
        type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
        diffuse=[0.7, 0.7, 0.7],
        castshadow=True,
    )
    spec.visual.headlight.ambient = [0.35, 0.35, 0.35]
    spec.visual.headlight.diffuse = [0.5, 0.5, 0.5]
    spec.visual.quality.shadowsize = 4096
    spec.visual.global_.offwidth, spec.visual.global_.offheight = 1920, 1080


def _set_physics(spec: mujoco.MjSpec, robot: Robot, timestep: float, contact: ContactModel) -> None:
    spec.option.timestep = timestep
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    if contact == "menagerie":
        spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
        spec.option.impratio = 100
        return
    spec.option.cone = mujoco.mjtCone.mjCONE_PYRAMIDAL
    spec.option.impratio = 1
    for foot in robot.feet:
        spec.geom(foot).condim = 3
        spec.geom(foot).solimp = STIFF_CONTACT


def _add_sensors(spec: mujoco.MjSpec, robot: Robot) -> None:
    """Base velocities and gravity in the base frame; foot motion; contacts."""
    base = {"objtype": mujoco.mjtObj.mjOBJ_SITE, "objname": "base_frame"}
    spec.body(robot.base).add_site(name="base_frame", group=5)
    spec.add_sensor(name="lin_vel_b", type=mujoco.mjtSensor.mjSENS_VELOCIMETER, **base)
    spec.add_sensor(name="ang_vel_b", type=mujoco.mjtSensor.mjSENS_GYRO, **base)
    spec.add_sensor(
        name="up_b",
        type=mujoco.mjtSensor.mjSENS_FRAMEZAXIS,
        objtype=mujoco.mjtObj.mjOBJ_GEOM,
        objname=GROUND,
        reftype=mujoco.mjtObj.mjOBJ_SITE,
        refname="base_frame",
    )
    for foot in robot.feet:
        geom = {"objtype": mujoco.mjtObj.mjOBJ_GEOM, "objname": foot}
        spec.add_sensor(name=f"{foot}_pos", type=mujoco.mjtSensor.mjSENS_FRAMEPOS, **geom)
    for foot in robot.feet:
        geom = {"objtype": mujoco.mjtObj.mjOBJ_GEOM, "objname": foot}
        spec.add_sensor(name=f"{foot}_vel", type=mujoco.mjtSensor.mjSENS_FRAMELINVEL, **geom)
    for foot in robot.feet:
        _add_contact_sensor(spec, f"{foot}_contact", mujoco.mjtObj.mjOBJ_GEOM, foot)
    for body in (*robot.thighs, *robot.shanks, robot.base):
        _add_contact_sensor(spec, f"{body}_contact", mujoco.mjtObj.mjOBJ_BODY, body)


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
