"""A small git repository laid out like MuJoCo Menagerie, with ANYmal C from the figures.

It keeps what the loader must cope with: class defaults, mesh and texture files, unnamed feet,
a light, a keyframe, actuators, and its own contact options.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from PIL import Image

TETRAHEDRON = "v 0 0 0\nv .1 0 0\nv 0 .1 0\nv 0 0 .1\nf 1 3 2\nf 1 2 4\nf 2 3 4\nf 3 1 4\n"

HEAD = """<mujoco model="anymal_c">
  <compiler angle="radian" meshdir="assets" texturedir="assets" autolimits="true"/>
  <option cone="elliptic" impratio="100"/>
  <default>
    <default class="anymal_c">
      <joint damping="{damping}" frictionloss="{frictionloss}"/>
      <default class="visual">
        <geom type="mesh" contype="0" conaffinity="0" group="2"/>
      </default>
      <default class="collision">
        <geom group="3" type="cylinder"/>
        <default class="foot">
          <geom type="sphere" size="0.03" priority="{priority}" solimp="{solimp}"
            condim="{condim}" friction="{friction}"/>
        </default>
      </default>
      <default class="affine">
        <position kp="100" ctrlrange="-6.28 6.28" forcerange="-80 80"/>
      </default>
    </default>
  </default>
  <asset>
    <texture type="2d" name="shell" file="shell.png"/>
    <material name="shell" texture="shell"/>
    <mesh file="part.obj"/>
  </asset>
  <worldbody>
    <light name="spotlight" mode="targetbodycom" target="base" pos="0 -1 2"/>
"""


def text(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def geom(shape: dict[str, Any], kind: str) -> str:
    place = "".join(
        f' {key}="{text(shape[key])}"' for key in ("size", "pos", "quat") if key in shape
    )
    return f'<geom class="{kind}" type="{shape["type"]}"{place}/>'


def body(figure: dict[str, Any], figures: dict[str, Any]) -> list[str]:
    """Return the lines of a body with its children; collision shapes come in reverse order."""
    root = figure["parent"] == "world"
    quat = f' quat="{text(figure["quat"])}"' if "quat" in figure else ""
    child_class = ' childclass="anymal_c"' if root else ""
    joint = figure["joint"]
    lines = [
        f'<body name="{figure["name"]}" pos="{text(figure["pos"])}"{quat}{child_class}>',
        f'<inertial mass="{figure["mass"]}" pos="{text(figure["ipos"])}" '
        f'quat="{text(figure["iquat"])}" diaginertia="{text(figure["diaginertia"])}"/>',
        "<freejoint/>"
        if root
        else f'<joint name="{joint["name"]}" axis="{text(joint["axis"])}" '
        f'range="{text(joint["range"])}"/>',
        '<geom mesh="part" material="shell" class="visual"/>',
        *(geom(shape, "collision") for shape in reversed(figure["collision"])),
    ]
    if "foot" in figure:
        lines.append(geom(figure["foot"] | {"quat": [1, 0, 0, -1]}, "foot"))
    for child in figures["bodies"]:
        if child["parent"] == figure["name"]:
            lines += body(child, figures)
    return [*lines, "</body>"]


def mjcf(figures: dict[str, Any]) -> str:
    actuators = figures["actuator"]["order"]
    contact = {key: text(value) for key, value in figures["foot_contact"].items()}
    return "\n".join(
        [
            HEAD.format(**figures["joint_defaults"], **contact),
            *body(figures["bodies"][0], figures),
            "</worldbody>",
            "<contact>",
            *(f'<exclude body1="{a}" body2="{b}"/>' for a, b in figures["contact_exclude"]),
            "</contact>",
            "<actuator>",
            *(f'<position class="affine" name="{name}" joint="{name}"/>' for name in actuators),
            "</actuator>",
            f'<keyframe><key name="standing" qpos="{"0 " * 19}" ctrl="{"0 " * 12}"/></keyframe>',
            "</mujoco>",
        ]
    )


def commit(repository: Path) -> str:
    """Commit everything in a folder, made a repository if it is none; return the commit's hash."""
    git = ["git", "-C", str(repository), "-c", "user.name=t", "-c", "user.email=t@localhost"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "Stand-in"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    return head.stdout.strip()


def make(repository: Path, figures: dict[str, Any]) -> str:
    """Write and commit the stand-in; return the commit's hash."""
    package = repository / "anybotics_anymal_c"
    (package / "assets").mkdir(parents=True)
    (package / "anymal_c.xml").write_text(mjcf(figures))
    (package / "assets" / "part.obj").write_text(TETRAHEDRON)
    Image.new("RGB", (2, 2), "red").save(package / "assets" / "shell.png")
    return commit(repository)
