"""ANYmal B from published figures, with primitive geometry: it needs no download."""

from __future__ import annotations

from dataclasses import replace

import mujoco

from robots import anymal_c
from robots.anymal_b import data, look
from robots.brush import Brush, add_paints
from robots.primitives import Link, add_body, add_leg, add_shape
from robots.robot import Motor, Robot

_LEGS = anymal_c.ROBOT.legs


def _paint(body: mujoco.MjsBody, leg: str, link: Link) -> None:
    end, side = data.signs(leg)
    match link.joint.removeprefix(f"{leg}_"):
        case "HAA":
            look.paint_hip(Brush(body), end, side)
        case "HFE":
            look.paint_thigh(Brush(body), side)
        case "KFE":
            look.paint_shank(Brush(body), end, side)


def build() -> mujoco.MjSpec:
    """Return a new spec of the robot."""
    spec = mujoco.MjSpec()
    spec.modelname = "anymal_b"
    spec.compiler.degree = False
    height = (0, 0, ROBOT.nominal_height)
    base = add_body(spec.worldbody, "base", height, (1, 0, 0, 0), data.BASE_INERTIAL)
    base.add_freejoint()
    add_paints(spec)
    look.paint_base(Brush(base))
    for shape in (*data.BASE_SHAPES, data.REAR_HEAD):
        add_shape(base, shape)
    for leg in _LEGS:
        for link, body in add_leg(base, leg, data.leg_links(leg), data.HINGE, data.SOLE):
            _paint(body, leg, link)
    return spec


MOTOR = Motor(
    kp=50.0,  # the paper's
    # Our fit: least squares of a knee's torque by its position error and velocity, 4 s of walking
    # measured for the paper (its supplementary), give kp 47 and kd 1.6. The paper's own kd is 0.1
    # and leaves the rest to its drives; an ideal PD with that alone swings for seconds.
    kd=1.6,
    torque_limit=40.0,  # the paper's
    speed_limit=12.0,  # the paper's
    armature=0.03,  # our estimate of the reflected rotor, as ANYmal C's: the figures have none
)

ROBOT: Robot = replace(
    anymal_c.ROBOT,  # its parts have the same names
    name="anymal_b",
    build=build,
    nominal_pose=tuple(data.signs(leg)[0] * q for leg in _LEGS for q in data.NOMINAL_LEG),
    nominal_height=0.4869772,  # m; feet just touch flat ground in the nominal pose, by kinematics
    leg_length=0.53625,  # m; thigh 0.25 and shank 0.28625 along the leg at zero joint angles
    motors=(MOTOR,) * 12,
    source="Hwangbo et al. 2019 and its public supplementary, robot_nofan_nolimit.urdf",
)
