"""Two robots that nobody built, for what must hold of robots unlike ANYmal C.

`two_legged`: two legs of two joints, names of another kind, motors that differ by joint. It stands
without balancing, as a tumbler doll does: its centre of mass hangs below the centres of its large
spherical feet, whose distance keeps it from falling sideways.

`four_legged`: of a Go1's size, its base 0.27 m above the ground, weaker than ANYmal C by a factor
of three and with knees stronger than its hips.
"""

from __future__ import annotations

from math import cos

import mujoco

from robots import Motor, Robot, mjcf

_MJCF = """<mujoco model="{name}">
  <compiler angle="radian"/>
  <default>
    <geom group="3"/>
    <joint damping="0.1"/>
  </default>
  <worldbody>
    <body name="{base}">
      <freejoint/>
      {trunk}
      {legs}
    </body>
  </worldbody>
</mujoco>"""

LINK = 0.12  # m, thigh and shin of the two-legged robot
SOLE = 0.3  # m, radius of its feet
BEND = 0.5  # rad, its thighs forward of vertical and its shins backward

_BIPED_LEG = f"""
<body name="thigh_{{s}}" pos="0 {{y}} 0">
  <joint name="{{side}}_hip_pitch" axis="0 -1 0" range="-1.2 1.6"/>
  <geom type="capsule" fromto="0 0 0 0 0 {-LINK}" size="0.03" mass="0.4"/>
  <body name="shin_{{s}}" pos="0 0 {-LINK}">
    <joint name="{{side}}_knee_pitch" axis="0 -1 0" range="-2 0.2"/>
    <geom type="capsule" fromto="0 0 0 0 0 {-LINK}" size="0.025" mass="0.3"/>
    <geom name="sole_{{s}}" type="sphere" pos="0 0 {-LINK}" size="{SOLE}" mass="0.5"/>
  </body>
</body>"""


def two_legged() -> Robot:
    """Return the robot with two legs of two joints and without hips."""
    legs = "".join(
        _BIPED_LEG.format(side=side, s=side[0], y=y) for side, y in (("left", 0.4), ("right", -0.4))
    )
    keel = '<geom type="box" pos="-0.004 0 -0.4" size="0.08 0.06 0.05" mass="8"/>'
    xml = _MJCF.format(name="tumbler", base="pelvis", trunk=keel, legs=legs)
    hip = Motor(kp=100.0, kd=4.0, torque_limit=40.0, speed_limit=12.0, armature=0.02)
    knee = Motor(kp=80.0, kd=3.0, torque_limit=25.0, speed_limit=20.0, armature=0.01)
    return Robot(
        name="tumbler",
        build=lambda: mjcf.alone(mujoco.MjSpec.from_string(xml)),
        base="pelvis",
        legs=("left", "right"),
        joints=("left_hip_pitch", "left_knee_pitch", "right_hip_pitch", "right_knee_pitch"),
        hips=(),
        thighs=("thigh_l", "thigh_r"),
        shanks=("shin_l", "shin_r"),
        feet=("sole_l", "sole_r"),
        nominal_pose=(BEND, -2 * BEND) * 2,
        nominal_height=2 * LINK * cos(BEND) + SOLE,
        leg_length=2 * LINK,
        motors=(hip, knee) * 2,
        source="made up",
    )


SEGMENT = 0.213  # m, upper and lower legs of the four-legged robot, as Go1's
TOE = 0.023  # m, radius of its feet, as Go1's
CROUCH = 0.9525  # rad, its upper legs from vertical: fore knees backward, hind knees forward

_QUADRUPED_LEG = f"""
<body name="{{leg}}_girdle" pos="{{x}} {{y}} 0">
  <joint name="{{leg}}_abduct" axis="1 0 0" range="-0.86 0.86"/>
  <geom type="sphere" size="0.04" mass="0.6"/>
  <body name="{{leg}}_upper" pos="0 {{out}} 0">
    <joint name="{{leg}}_swing" axis="0 {{front}} 0" range="-0.7 3"/>
    <geom type="capsule" fromto="0 0 0 0 0 {-SEGMENT}" size="0.02" mass="0.8"/>
    <body name="{{leg}}_lower" pos="0 0 {-SEGMENT}">
      <joint name="{{leg}}_knee" axis="0 {{front}} 0" range="-2.8 -0.3"/>
      <geom type="capsule" fromto="0 0 0 0 0 {-SEGMENT}" size="0.012" mass="0.15"/>
      <geom name="{{leg}}_toe" type="sphere" pos="0 0 {-SEGMENT}" size="{TOE}" mass="0.05"/>
    </body>
  </body>
</body>"""


def four_legged() -> Robot:
    """Return the robot of a Go1's size."""
    places = {"fl": (1, 1), "fr": (1, -1), "hl": (-1, 1), "hr": (-1, -1)}
    legs = "".join(
        _QUADRUPED_LEG.format(leg=leg, front=front, x=0.25 * front, y=0.05 * left, out=0.08 * left)
        for leg, (front, left) in places.items()
    )
    trunk = '<geom type="box" size="0.25 0.06 0.05" mass="5.6"/>'
    xml = _MJCF.format(name="pony", base="trunk", trunk=trunk, legs=legs)
    hip = Motor(kp=40.0, kd=1.0, torque_limit=23.7, speed_limit=30.1, armature=0.01)
    knee = Motor(kp=40.0, kd=1.0, torque_limit=35.55, speed_limit=20.06, armature=0.02)
    return Robot(
        name="pony",
        build=lambda: mjcf.alone(mujoco.MjSpec.from_string(xml)),
        base="trunk",
        legs=tuple(places),
        joints=tuple(f"{leg}_{joint}" for leg in places for joint in ("abduct", "swing", "knee")),
        hips=tuple(f"{leg}_girdle" for leg in places),
        thighs=tuple(f"{leg}_upper" for leg in places),
        shanks=tuple(f"{leg}_lower" for leg in places),
        feet=tuple(f"{leg}_toe" for leg in places),
        nominal_pose=(0.0, CROUCH, -2 * CROUCH) * 4,
        nominal_height=2 * SEGMENT * cos(CROUCH) + TOE,
        leg_length=2 * SEGMENT,
        motors=(hip, hip, knee) * 4,
        source="made up, of a Go1's size and strength",
    )


SYNTHETIC = {robot.name: robot for robot in (two_legged(), four_legged())}
