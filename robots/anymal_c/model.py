"""ANYmal C from published figures, with primitive geometry: it needs no download."""

from __future__ import annotations

import mujoco

from robots.anymal_c import data, look
from robots.collision import COLLISION_GROUP
from robots.robot import Motor, Robot

_GEOM_TYPES = {
    "box": mujoco.mjtGeom.mjGEOM_BOX,
    "cylinder": mujoco.mjtGeom.mjGEOM_CYLINDER,
    "sphere": mujoco.mjtGeom.mjGEOM_SPHERE,
}


def _add_body(
    parent: mujoco.MjsBody, name: str, pos: data.Vec, quat: data.Vec, inertial: data.Inertial
) -> mujoco.MjsBody:
    return parent.add_body(
        name=name,
        pos=pos,
        quat=quat,
        explicitinertial=True,
        mass=inertial.mass,
        ipos=inertial.pos,
        iquat=inertial.quat,
        inertia=inertial.diagonal,
    )


def _add_shape(body: mujoco.MjsBody, shape: data.Shape) -> mujoco.MjsGeom:
    size = (*shape.size, 0, 0)[:3]
    return body.add_geom(
        type=_GEOM_TYPES[shape.kind],
        size=size,
        pos=shape.pos,
        quat=shape.quat,
        group=COLLISION_GROUP,
    )


def _add_foot(body: mujoco.MjsBody, leg: str, shape: data.Shape) -> None:
    foot = _add_shape(body, shape)
    foot.name = f"{leg}_FOOT"
    foot.friction = data.FOOT_FRICTION
    foot.condim = data.FOOT_CONDIM
    foot.priority = data.FOOT_PRIORITY
    foot.solimp[: len(data.FOOT_SOLIMP)] = data.FOOT_SOLIMP


def _add_leg(base: mujoco.MjsBody, leg: str) -> None:
    parent = base
    for link in data.leg_links(leg):
        parent = _add_body(parent, link.name, link.pos, link.quat, link.inertial)
        parent.add_joint(
            name=link.joint,
            type=mujoco.mjtJoint.mjJNT_HINGE,
            axis=link.axis,
            range=link.range,
            limited=True,
            damping=data.JOINT_DAMPING,
            frictionloss=data.JOINT_FRICTION,
        )
        for shape in link.shapes:
            _add_shape(parent, shape)
        if link.foot:
            _add_foot(parent, leg, link.foot)
        _paint(parent, leg, link)


def _paint(body: mujoco.MjsBody, leg: str, link: data.Link) -> None:
    side = 1 if leg[0] == "L" else -1
    end = 1 if leg[1] == "F" else -1
    w, x, y, z = link.quat
    match link.joint.removeprefix(f"{leg}_"):
        case "HAA":
            look.paint_hip(look.Brush(body, (w, -x, -y, -z)), end, side)
        case "HFE":
            look.paint_thigh(look.Brush(body))
        case "KFE":
            look.paint_shank(look.Brush(body), -end * side)


def build() -> mujoco.MjSpec:
    """Return a new spec of the robot.

    As published, the base of `qpos0` is turned half a turn about the vertical: set `qpos`.
    """
    spec = mujoco.MjSpec()
    spec.modelname = "anymal_c"
    spec.compiler.degree = False
    base = _add_body(spec.worldbody, "base", data.BASE_POS, data.BASE_QUAT, data.BASE_INERTIAL)
    base.add_freejoint()
    look.add_paints(spec)
    look.paint_base(look.Brush(base))
    for shape in data.BASE_SHAPES:
        _add_shape(base, shape)
    for leg in data.LEGS:
        _add_leg(base, leg)
    for body1, body2 in data.CONTACT_EXCLUDES:
        spec.add_exclude(bodyname1=body1, bodyname2=body2)
    return spec


MOTOR = Motor(
    kp=80.0,  # legged_gym, anymal_c_rough_config.py
    kd=2.0,  # legged_gym, anymal_c_rough_config.py
    torque_limit=80.0,  # the actuators' forcerange in MuJoCo Menagerie
    speed_limit=7.5,  # joint velocity limit of legged_gym's anymal_c.urdf (ANYdrive 3)
    armature=0.03,  # our estimate of the reflected rotor, the published model has none
)

ROBOT = Robot(
    name="anymal_c",
    build=build,
    base="base",
    legs=data.LEGS,
    joints=tuple(f"{leg}_{joint}" for leg in data.LEGS for joint in data.JOINTS),
    hips=tuple(f"{leg}_HIP" for leg in data.LEGS),
    thighs=tuple(f"{leg}_THIGH" for leg in data.LEGS),
    shanks=tuple(f"{leg}_SHANK" for leg in data.LEGS),
    feet=tuple(f"{leg}_FOOT" for leg in data.LEGS),
    nominal_pose=tuple(q for leg in data.STANDING_JOINTS for q in leg),
    nominal_height=0.558775,  # m; feet just touching flat ground in the nominal pose, by kinematics
    leg_length=0.6,  # m; thigh 0.285 and shank 0.315 along the leg at zero joint angles
    motors=(MOTOR,) * 12,
    source="MuJoCo Menagerie, anybotics_anymal_c at 1b428b08bb26; drive numbers of legged_gym",
)
