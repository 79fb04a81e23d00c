"""ANYmal C from published figures, with primitive geometry: it needs no download."""

from __future__ import annotations

import mujoco

from robots.anymal_c import data, look
from robots.brush import Brush, add_paints
from robots.primitives import Link, add_body, add_leg, add_shape
from robots.robot import Motor, Robot


def _paint(body: mujoco.MjsBody, leg: str, link: Link) -> None:
    side = 1 if leg[0] == "L" else -1
    end = 1 if leg[1] == "F" else -1
    w, x, y, z = link.quat
    match link.joint.removeprefix(f"{leg}_"):
        case "HAA":
            look.paint_hip(Brush(body, (w, -x, -y, -z)), end, side)
        case "HFE":
            look.paint_thigh(Brush(body))
        case "KFE":
            look.paint_shank(Brush(body), -end * side)


def build() -> mujoco.MjSpec:
    """Return a new spec of the robot.

    As published, the base of `qpos0` is turned half a turn about the vertical: set `qpos`.
    """
    spec = mujoco.MjSpec()
    spec.modelname = "anymal_c"
    spec.compiler.degree = False
    base = add_body(spec.worldbody, "base", data.BASE_POS, data.BASE_QUAT, data.BASE_INERTIAL)
    base.add_freejoint()
    add_paints(spec)
    look.paint_base(Brush(base))
    for shape in data.BASE_SHAPES:
        add_shape(base, shape)
    for leg in data.LEGS:
        for link, body in add_leg(base, leg, data.leg_links(leg), data.HINGE, data.SOLE):
            _paint(body, leg, link)
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
