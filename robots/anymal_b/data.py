"""Published figures of ANYmal B, laid out by what the four legs share.

Source of every number without another: robot_nofan_nolimit.urdf of the public supplementary of
Hwangbo et al. 2019 (junja94/anymal_science_robotics_supplementary), the robot as it was simulated
there. Units: m, kg, kg·m², rad; quaternions wxyz. At zero joint angles the axes of every body are
those of the base: x forward, y left, z up.

The legs are exact mirror images of LF, whose figures these are; the base is not quite one of
itself: its centre of mass is 1.4 mm to the right and 1.7 mm behind, as published. Links fixed to
others are part of them: base_inertia of the base, adapter and foot, without mass, of the shank.
"""

from math import cos, sin

from robots.anymal_c.data import SOLE as ANYMAL_C_SOLE
from robots.primitives import UNLIMITED, FullInertial, Hinge, Link, Shape, Vec

NOMINAL_LEG = (0, 0.4, -0.8)  # rad; HAA, HFE, KFE in front, negated behind (the paper's)

# Our choice, no figures: the dry friction of ANYmal C's drives, and no damping beside the PD's.
HINGE = Hinge(damping=0.0, friction=0.1)
# Sliding friction 0.8 is the paper's, too; the rest it has not, as its contacts are rigid. ANYmal C
# has the like of these feet: rubber balls, of 30 mm radius there and 32 mm here.
SOLE = ANYMAL_C_SOLE

BASE_INERTIAL = FullInertial(
    16.0,
    (-0.001712029101, -0.001380403461, 0.053974184671),
    (0.248057547487, 0.650151658461, 0.620944203624),
    (0.00109783880089, -0.00394501164854, -0.00213569105487),
)
BASE_SHAPES = (  # as published
    Shape("box", (0.2645, 0.11, 0.12), (0, 0, 0.08)),
    Shape("box", (0.255, 0.05, 0.07), (0, 0, 0.23)),
    Shape("box", (0.09, 0.1, 0.05), (0.34, 0, 0.18)),
    Shape("box", (0.2655, 0.075, 0.0425), (0, 0, -0.04)),
    Shape("box", (0.2655, 0.05, 0.085), (0, 0, -0.04)),
)

# Ours, not the figures': the head's box once more behind, as ANYmal C has it. It meets something in
# falls alone; without it, the base would be no image of itself from front to back, and learning
# would go without that mirror, which masses and legs have.
REAR_HEAD = Shape("box", (0.09, 0.1, 0.05), (-0.34, 0, 0.18))

HIP_POS = (0.277, 0.116, 0)
HIP_INERTIAL = FullInertial(
    1.442092122,
    (0.062835805581, -0.004658817611, 0.001702621241),
    (0.00177548706114, 0.00170137645039, 0.00196063669653),
    (1.1580067729e-05, -9.044459477e-06, -5.8492762287e-05),
)
THIGH_POS = (0.0635, 0.04095, 0)
THIGH_INERTIAL = FullInertial(
    1.69884373,
    (-0.000224951525, 0.05480248145, -0.209489045173),
    (0.0131442404046, 0.0127576740658, 0.00209114731186),
    (-2.44232829e-07, 2.3986036365e-05, -0.00158639883939),
)
SHANK_POS = (0, 0.109, -0.25)
SHANK_INERTIAL = FullInertial(
    0.21,
    (0.029, -0.004, 0.001),
    (0.0037693717909, 0.00400446467635, 0.000418471691904),
    (-7.7334500762e-05, -0.000152069372983, -0.0003218356083),
)
ADAPTER_POS = (0.1, -0.02, 0)  # in the shank
FOOT_POS = (0.1, -0.02, -0.28625)

ACROSS = (1, 1, 0, 0)  # a cylinder along y
THIGH_ROLL = 0.145  # rad; how the thigh's beam leans outwards


def signs(leg: str) -> tuple[int, int]:
    """Return end (front 1, hind -1) and side (left 1, right -1) of a leg."""
    return 1 if leg[1] == "F" else -1, 1 if leg[0] == "L" else -1


def _placed(leg: str, pos: Vec) -> Vec:
    end, side = signs(leg)
    return end * pos[0], side * pos[1], pos[2]


def _mirrored(leg: str, inertial: FullInertial) -> FullInertial:
    end, side = signs(leg)
    xy, xz, yz = inertial.products
    products = (end * side * xy, end * xz, side * yz)
    return inertial._replace(pos=_placed(leg, inertial.pos), products=products)


def _hip(leg: str) -> Link:
    drive = _placed(leg, (0.0735, -0.00905, 0))
    return Link(
        name=f"{leg}_HIP",
        pos=_placed(leg, HIP_POS),
        quat=(1, 0, 0, 0),
        inertial=_mirrored(leg, HIP_INERTIAL),
        joint=f"{leg}_HAA",
        axis=(1, 0, 0),
        range=(-UNLIMITED, UNLIMITED),
        shapes=(
            Shape("cylinder", (0.05, 0.045), drive, ACROSS),
            Shape("cylinder", (0.06, 0.02), drive, ACROSS),
        ),
    )


def _thigh(leg: str) -> Link:
    _, side = signs(leg)
    lean = (cos(THIGH_ROLL / 2), side * sin(THIGH_ROLL / 2), 0, 0)
    return Link(
        name=f"{leg}_THIGH",
        pos=_placed(leg, THIGH_POS),
        quat=(1, 0, 0, 0),
        inertial=_mirrored(leg, THIGH_INERTIAL),
        joint=f"{leg}_HFE",
        axis=(0, 1, 0),
        range=(-UNLIMITED, UNLIMITED),
        shapes=(
            Shape("cylinder", (0.04, 0.03), (0, side * 0.0325, 0), ACROSS),
            Shape("cylinder", (0.065, 0.0225), (0, side * 0.0175, 0), ACROSS),
            Shape("box", (0.03, 0.0175, 0.09), (0, side * 0.035, -0.125), lean),
            Shape("cylinder", (0.06, 0.055), (0, side * 0.069, -0.25), ACROSS),
        ),
    )


def _shank(leg: str) -> Link:
    x, y, _ = _placed(leg, ADAPTER_POS)
    return Link(
        name=f"{leg}_SHANK",
        pos=_placed(leg, SHANK_POS),
        quat=(1, 0, 0, 0),
        inertial=_mirrored(leg, SHANK_INERTIAL),
        joint=f"{leg}_KFE",
        axis=(0, 1, 0),
        range=(-UNLIMITED, UNLIMITED),
        shapes=(
            Shape("box", (0.0225, 0.0225, 0.0325), (x, y, 0)),
            Shape("cylinder", (0.015, 0.13), (x, y, -0.145)),
        ),
        foot=Shape("sphere", (0.032,), _placed(leg, FOOT_POS)),
    )


def leg_links(leg: str) -> tuple[Link, Link, Link]:
    """Return hip, thigh and shank of a leg, each the parent of the next.

    No joint has a stop, as the figures have none and as a robot that has fallen needs it; the
    paper ends episodes beyond HAA ±1.2, HFE ±1.5 and |KFE| 0.05 to 2.8 rad instead.
    """
    return _hip(leg), _thigh(leg), _shank(leg)
