"""MJCF of small four-legged robots, for what must hold of files that nobody has seen."""

from __future__ import annotations

from collections.abc import Mapping
from math import pi
from types import MappingProxyType

THIGH, SHANK = 0.2, 0.2
"""Lengths (m)."""
FEET = {
    "sphere": '<geom name="{n}_foot" type="sphere" size=".02" pos="0 0 -.2"/>',
    "capsule": '<geom name="{n}_foot" type="capsule" size=".02 .03" pos="0 0 -.2" euler="90 0 0"/>',
    "cylinder": '<geom name="{n}_foot" type="cylinder" size=".03 .015" pos="0 0 -.2"/>',
    "box": '<geom name="{n}_foot" type="box" size=".04 .02 .01" pos="0 0 -.2"/>',
    "ellipsoid": '<geom name="{n}_foot" type="ellipsoid" size=".04 .02 .015" pos="0 0 -.2"/>',
    "mesh": '<geom name="{n}_foot" type="mesh" mesh="shoe" pos="0 0 -.2"/>',
}
"""Shapes that a foot may have, of a leg that is called n."""
SHANKS = {
    "capsule": '<geom type="capsule" fromto="0 0 0 0 0 -.2" size=".02" mass=".1"/>',
    "cylinder": '<geom type="cylinder" fromto="0 0 0 0 0 -.22" size=".02" mass=".1"/>',
    "ellipsoid": '<geom type="ellipsoid" size=".02 .02 .11" pos="0 0 -.11" mass=".1"/>',
    "box": '<geom type="box" size=".02 .03 .11" pos="0 0 -.11" mass=".1"/>',
    "mesh": '<geom type="mesh" mesh="calf" mass=".1"/>',
}
"""Shapes from knee to ground, without feet: a ball of 20 mm in the far end of each
has its middle 0.2 m from the knee."""
ARM = """
<body name="upper_arm" pos=".1 0 .06">
  <joint name="shoulder" axis="0 1 0" range="-120 120"/>
  <geom type="capsule" fromto="0 0 0 0 0 .2" size=".02" mass=".5"/>
  <body name="hand" pos="0 0 .2">
    <joint name="wrist" axis="0 1 0" range="-120 120"/>
    <geom type="capsule" fromto="0 0 0 .1 0 0" size=".015" mass=".2"/>
    <body name="finger" pos=".1 0 .02">
      <joint name="grip" type="slide" axis="0 0 1" range="0 .03"/>
      <geom type="box" size=".02 .005 .01" mass=".02"/>
    </body>
    <body name="thumb" pos=".1 0 -.02"><geom type="box" size=".02 .005 .01" mass=".02"/></body>
  </body>
</body>"""
SHOE = """<asset><mesh name="shoe" vertex="-.04 -.02 -.01 .04 -.02 -.01 -.04 .02 -.01 .04 .02 -.01
-.04 -.02 .01 .04 -.02 .01 -.04 .02 .01 .04 .02 .01"/></asset>"""
CALF = """<asset><mesh name="calf" vertex="-.02 -.03 0 .02 -.03 0 -.02 .03 0 .02 .03 0
-.02 -.03 -.22 .02 -.03 -.22 -.02 .03 -.22 .02 .03 -.22"/></asset>"""
SHANK_SHAPE = '<geom type="capsule" fromto="0 0 -.04 0 0 -.12" size=".01" mass=".1"/>'
_LEG = """
<body name="{n}_hip" pos="{x} {y} 0">
  <joint name="{n}_roll" axis="1 0 0" range="-40 40"/>
  <geom type="sphere" size=".03" mass=".3" contype="0" conaffinity="0"/>
  <body name="{n}_thigh" pos="0 {out} 0">
    <joint name="{n}_pitch" axis="0 1 0" range="-150 150"/>
    <geom type="capsule" fromto="0 0 -.04 0 0 -.16" size=".015" mass=".5"/>
    <body name="{n}_shank" pos="0 0 -.2">
      <joint name="{n}_knee" axis="0 1 0" range="{knee}"/>
      {shank}
      {foot}
    </body>
  </body>
</body>"""
LEGS = {"a": (-0.2, -0.1), "b": (0.2, 0.1), "c": (-0.2, 0.1), "d": (0.2, -0.1)}
"""Where legs begin, in an order and by names that say nothing."""


def mjcf(
    foot: str = FEET["sphere"],
    knee: str = "-150 150",
    extra: str = "",
    keyframe: str = "",
    shank: str = SHANK_SHAPE,
    places: Mapping[str, tuple[float, float]] = MappingProxyType(LEGS),
) -> str:
    """Return the MJCF of a dog, in degrees.

    Args:
        foot: the geom of a foot, its leg's name as {n}.
        knee: range of the knees (degrees).
        extra: more links of the trunk.
        keyframe: elements <key>.
        shank: the shape of a shank, beside its foot.
        places: where legs begin, by their names.
    """
    legs = "".join(
        _LEG.format(
            n=n,
            x=x,
            y=y,
            out=0.05 * ((y > 0) - (y < 0)),
            knee=knee,
            shank=shank,
            foot=foot.format(n=n),
        )
        for n, (x, y) in places.items()
    )
    joints = [f"{n}_{j}" for n in places for j in ("roll", "pitch", "knee")]
    drives = "".join(f'<motor joint="{joint}" ctrlrange="-30 30"/>' for joint in joints)
    mesh = (SHOE if "mesh" in foot else "") + (CALF if "mesh" in shank else "")
    return f"""<mujoco model="dog">{mesh}<worldbody><body name="trunk" pos="0 0 1"><freejoint/>
      <geom type="box" size=".2 .08 .05" mass="8"/>{legs}{extra}</body></worldbody>
      <actuator>{drives}</actuator><keyframe>{keyframe}</keyframe></mujoco>"""


def degrees(*values: float) -> list[float]:
    """Return angles in radians."""
    return [value * pi / 180 for value in values]
