"""Published figures of ANYmal C, laid out by what the four legs share.

Source of every number: MuJoCo Menagerie, anybotics_anymal_c/anymal_c.xml at commit 1b428b08bb26
(BSD-3-Clause). Units: m, kg, kg·m², rad; quaternions wxyz; positions and rotations in the parent
body's frame, geoms in their body's frame. Quaternions need not be normalised.

The robot repeats along its diagonals: LF is RH turned by half a turn about the vertical, RF is LH,
and the two diagonals mirror each other but for the last digits of the hips and thighs.
"""

from robots.primitives import UNLIMITED, Hinge, Inertial, Link, Shape, Sole

LEGS = ("LF", "RF", "LH", "RH")
JOINTS = ("HAA", "HFE", "KFE")

HINGE = Hinge(damping=1.0, friction=0.1)
SOLE = Sole(friction=(0.8, 0.02, 0.01), condim=6, priority=1, solimp=(0.015, 1, 0.031))

CONTACT_EXCLUDES = tuple(("base", f"{leg}_THIGH") for leg in LEGS)

STANDING_JOINTS = (  # rad; standing keyframe of anymal_c_mjx.xml in the same folder
    (0, 0.5235988, -0.7853981),
    (0, 0.5235988, -0.7853981),
    (0, -0.5235988, 0.7853981),
    (0, -0.5235988, 0.7853981),
)

BASE_POS = (0, 0, 0.62)
BASE_QUAT = (0, 0, 0, 1)
BASE_INERTIAL = Inertial(
    19.2035, (0.0025, 0, 0.0502071), (0.5, 0.5, 0.5, 0.5), (0.639559, 0.624031, 0.217374)
)
BASE_SHAPES = (
    Shape("box", (0.29, 0.07, 0.09), (0, 0, 0)),
    Shape("cylinder", (0.09, 0.0725), (0.2175, 0.07, 0), (1, 0, 1, 0)),
    Shape("cylinder", (0.09, 0.0725), (0.2175, -0.07, 0), (1, 0, 1, 0)),
    Shape("cylinder", (0.09, 0.0725), (-0.2175, 0.07, 0), (1, 0, 1, 0)),
    Shape("cylinder", (0.09, 0.0725), (-0.2175, -0.07, 0), (1, 0, 1, 0)),
    Shape("box", (0.055, 0.07, 0.09), (0.4695, 0, 0)),
    Shape("cylinder", (0.09, 0.055), (0.4695, 0.07, 0), (1, 0, 1, 0)),
    Shape("cylinder", (0.09, 0.055), (0.4695, -0.07, 0), (1, 0, 1, 0)),
    Shape("box", (0.055, 0.07, 0.09), (-0.4695, 0, 0), (0, 0, 0, 1)),
    Shape("cylinder", (0.09, 0.055), (-0.4695, -0.07, 0), (0, -1, 0, 1)),
    Shape("cylinder", (0.09, 0.055), (-0.4695, 0.07, 0), (0, -1, 0, 1)),
    Shape("cylinder", (0.07, 0.06), (-0.364, 0, 0.1335)),
)

# Inertias of the diagonals: LF and RH, then RF and LH.
HIP_INERTIALS = (
    Inertial(
        2.781,
        (0.0566606, -0.015294, -0.00829784),
        (-0.127978, 0.709783, -0.135278, 0.679359),
        (0.00585729, 0.00491868, 0.00329081),
    ),
    Inertial(
        2.781,
        (0.0567633, 0.015294, -0.00829784),
        (0.13524, 0.679072, 0.127985, 0.710065),
        (0.00585928, 0.0049205, 0.00329064),
    ),
)
THIGH_INERTIALS = (
    Inertial(
        3.071,
        (0.0308147, 4.64995e-05, -0.245696),
        (0.993166, -0.00515309, -0.0806592, 0.0841972),
        (0.03025, 0.0298943, 0.00418465),
    ),
    Inertial(
        3.071,
        (0.0308147, 4.64995e-05, -0.245696),
        (0.992775, -0.00512735, -0.0806685, 0.0886811),
        (0.0302511, 0.0298933, 0.0041845),
    ),
)
SHANK_INERTIALS = (
    Inertial(
        0.58842,
        (0.005462, -0.0612528, -0.0806598),
        (0.992934, -0.115904, -0.00105487, -0.0254421),
        (0.0101637, 0.00923838, 0.00111927),
    ),
    Inertial(
        0.58842,
        (0.005462, 0.0612528, -0.0806598),
        (0.992934, 0.115904, -0.00105487, 0.0254421),
        (0.0101637, 0.00923838, 0.00111927),
    ),
)

# What follows no rule: the hip's place and rotation, its cylinder's, and the thigh's rotation.
HIP_POS = {
    "LF": (0.2999, 0.104, 0),
    "RF": (0.2999, -0.104, 0),
    "LH": (-0.2999, 0.104, 0),
    "RH": (-0.2999, -0.104, 0),
}
HIP_QUAT = {
    "LF": (0.258819, 0.965926, 0, 0),
    "RF": (0.258819, -0.965926, 0, 0),
    "LH": (0, 0, 0.965926, -0.258819),
    "RH": (0, 0, -0.965926, -0.258819),
}
HIP_SHAPE_QUAT = {
    "LF": (-0.353553, -0.612372, 0.612372, -0.353553),
    "RF": (-0.353553, 0.612372, 0.612372, 0.353553),
    "LH": (-0.353553, 0.612372, 0.612372, 0.353553),
    "RH": (0.353553, 0.612372, -0.612372, 0.353553),
}
THIGH_QUAT = {
    "LF": (0.183013, -0.683013, 0.683013, 0.183013),
    "RF": (0.183013, 0.683013, 0.683013, -0.183013),
    "LH": (0.183013, 0.683013, 0.683013, -0.183013),
    "RH": (-0.183013, 0.683013, -0.683013, -0.183013),
}


def _signs(leg: str) -> tuple[int, int, int]:
    """Return side (left 1), end (front 1), and the sign of y within the leg's bodies."""
    side = 1 if leg[0] == "L" else -1
    end = 1 if leg[1] == "F" else -1
    return side, end, -side * end


def _hip(leg: str) -> Link:
    side, end, y = _signs(leg)
    cylinder_pos = (0.0599, y * 0.0119598, -0.006905)
    return Link(
        name=f"{leg}_HIP",
        pos=HIP_POS[leg],
        quat=HIP_QUAT[leg],
        inertial=HIP_INERTIALS[y > 0],
        joint=f"{leg}_HAA",
        axis=(end, 0, 0),
        range=(-0.72, 0.49) if side > 0 else (-0.49, 0.72),
        shapes=(Shape("cylinder", (0.05, 0.07), cylinder_pos, HIP_SHAPE_QUAT[leg]),),
    )


def _thigh(leg: str) -> Link:
    side, _, y = _signs(leg)
    return Link(
        name=f"{leg}_THIGH",
        pos=(0.0599, y * 0.0725816, -0.041905),
        quat=THIGH_QUAT[leg],
        inertial=THIGH_INERTIALS[y > 0],
        joint=f"{leg}_HFE",
        axis=(side, 0, 0),
        range=(-UNLIMITED, UNLIMITED),
        shapes=(
            Shape("cylinder", (0.065, 0.04), (0.04, 0, 0), (0.5, 0.5, -0.5 * side, -0.5 * side)),
            Shape("box", (0.0375, 0.03, 0.141314), (0.03, 0, -0.141314), (1, 0, 0, -side)),
            Shape("cylinder", (0.05, 0.07), (0.0303, 0, -0.285), (1, 0, 1, 0)),
        ),
    )


def _shank(leg: str) -> Link:
    side, _, y = _signs(leg)
    flat = (0.5, 0.5, -0.5 * side, -0.5 * side)
    tube_pos = (0.01305, y * 0.08795, -0.168985)
    return Link(
        name=f"{leg}_SHANK",
        pos=(0.1003, 0, -0.285),
        quat=(1, 0, 0, 0),
        inertial=SHANK_INERTIALS[y > 0],
        joint=f"{leg}_KFE",
        axis=(side, 0, 0),
        range=(-UNLIMITED, UNLIMITED),
        shapes=(
            Shape("cylinder", (0.06, 0.02), (0.02, 0, 0), flat),
            Shape("box", (0.057499, 0.03375, 0.019), (0.02, y * 0.057499, 0), flat),
            Shape("cylinder", (0.0175, 0.141252), tube_pos, (1, 0, 0, -side)),
        ),
        foot=Shape("sphere", (0.03,), (0.01305, y * 0.08795, -0.31547)),
    )


def leg_links(leg: str) -> tuple[Link, Link, Link]:
    """Return hip, thigh and shank of a leg, each the parent of the next."""
    return _hip(leg), _thigh(leg), _shank(leg)
