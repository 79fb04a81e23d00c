"""What acts across a model's joints: tendons, actuators, constraints, contacts of chosen parts.

They need not be matched one by one. Of all of a kind, Σ w JᵀJ and Σ w J, with the moments J of
each about all degrees of freedom and its numbers w, are what the mirror must leave as they are, in
a posture and in its mirror image. The first takes numbers that hold both ways, such as a stiffness,
and the second those that a turn the other way negates, such as the middle of a range.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import mujoco
import numpy as np

from envs.mdp.asymmetry.image import RANGE, SHARE, Whole, rows

ACTUATOR = (
    *("gaintype", "biastype", "dyntype", "gainprm", "dynprm", "actlimited", "ctrllimited"),
    *("forcelimited", "delay", "actearly", "damping", "dampingpoly", "armature"),
)
TENDON = (
    *("stiffness", "stiffnesspoly", "damping", "dampingpoly", "frictionloss", "armature"),
    *("limited", "actfrclimited", "margin", "solref_lim", "solimp_lim", "solref_fri"),
    "solimp_fri",
)
EQUALITY = ("type", "solref", "solimp")
INTERVALS = {
    "actuator": ("ctrlrange", "forcerange", "actrange"),
    "tendon": ("range", "lengthspring", "actfrcrange"),
}
PAIR = ("dim", "solref", "solreffriction", "solimp", "margin", "gap", "friction", "adhesion")
_POSTURE = 0.1
"""Largest position of a joint in the posture (rad or m)."""
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Acting:
    """All actuators, tendons or constraints of a model in a posture."""

    moments: np.ndarray
    """Of each about the degrees of freedom, (k, nv)."""
    even: dict[str, np.ndarray]
    """Numbers that hold both ways, each (k, n)."""
    odd: dict[str, np.ndarray]
    """Numbers that a turn the other way negates, each (k,)."""


def differences(model: mujoco.MjModel, data: mujoco.MjData, whole: Whole) -> Iterator[str]:
    """What acts on one side otherwise than on the other.

    Args:
        model: the model.
        data: with its base upright.
        whole: what the mirror makes of the model.
    """
    yield from _contacts(model, whole)
    if model.nflex or model.nplugin:
        yield "it has flexes or plugins, which are not compared"
    index, sign = _freedoms(model, whole)
    seen, found = (_acting(model, qpos) for qpos in _posture(model, data, whole))
    for kind in found:
        for what, one, other in _sums(seen[kind], found[kind], index, sign):
            apart = np.argwhere(np.abs(one - other) > _tolerance(what, one, other))
            if len(apart):
                freedom = int(apart[0][-1])
                told = [_joint(model, freedom), _joint(model, int(index[freedom]))]
                yield f"{kind} ({what}) act on {told[0]} otherwise than on its image {told[1]}"


def _freedoms(model: mujoco.MjModel, whole: Whole) -> tuple[np.ndarray, np.ndarray]:
    """Return the image of each degree of freedom, and its sign: (nv,) each."""
    index, sign = np.arange(model.nv), np.ones(model.nv)
    for joint, other in enumerate(whole.joints):
        start = model.jnt_dofadr[joint]
        if model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_FREE:
            sign[start : start + 6] = *whole.diagonal, *-whole.diagonal
        else:
            index[start], sign[start] = model.jnt_dofadr[other], whole.sign[joint]
    return index, sign


def _posture(
    model: mujoco.MjModel, data: mujoco.MjData, whole: Whole
) -> tuple[np.ndarray, np.ndarray]:
    """Return positions in which no two joints are alike, and their mirror image: (nq,) each."""
    here, there = data.qpos.copy(), data.qpos.copy()
    positions = _POSTURE * np.sin(1.0 + np.arange(model.njnt))
    moved = np.flatnonzero(model.jnt_type != mujoco.mjtJoint.mjJNT_FREE)
    here[model.jnt_qposadr[moved]] = positions[moved]
    there[model.jnt_qposadr[moved]] = (whole.sign * positions[whole.joints])[moved]
    return here, there


def _acting(model: mujoco.MjModel, qpos: np.ndarray) -> dict[str, Acting]:
    """Return what acts in a posture, by its kind."""
    data = mujoco.MjData(model)
    data.qpos[:] = qpos
    mujoco.mj_fwdPosition(model, data)
    return {
        "actuators": _actuators(model, data),
        "tendons": _tendons(model, data),
        "equality constraints": _constraints(model, data),
    }


def _actuators(model: mujoco.MjModel, data: mujoco.MjData) -> Acting:
    at = data.moment_rownnz, data.moment_rowadr, data.moment_colind
    even, odd = _numbers(model, "actuator", ACTUATOR)
    bias = model.actuator_biasprm
    even["biasprm"], odd["biasprm"] = bias[:, 1:], bias[:, 0]
    return Acting(_dense(data.actuator_moment, *at, model.nv), even, odd)


def _tendons(model: mujoco.MjModel, data: mujoco.MjData) -> Acting:
    at = model.ten_J_rownnz, model.ten_J_rowadr, model.ten_J_colind
    even, odd = _numbers(model, "tendon", TENDON)
    even["number"], odd["length"] = np.ones((model.ntendon, 1)), data.ten_length
    return Acting(_dense(data.ten_J, *at, model.nv), even, odd)


def _constraints(model: mujoco.MjModel, data: mujoco.MjData) -> Acting:
    """The rows of the equality constraints."""
    if mujoco.mj_isSparse(model):
        at = data.efc_J_rownnz, data.efc_J_rowadr, data.efc_J_colind
        moments = _dense(data.efc_J, *at, model.nv)
    else:
        moments = data.efc_J.reshape(-1, model.nv)
    own = data.efc_type == mujoco.mjtConstraint.mjCNSTR_EQUALITY
    even = {name: rows(model, f"eq_{name}")[data.efc_id[own]] for name in EQUALITY}
    even["number"] = np.ones((np.count_nonzero(own), 1))
    return Acting(moments[own], even, {"error": data.efc_pos[own]})


def _numbers(
    model: mujoco.MjModel, kind: str, names: tuple[str, ...]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return the numbers of a kind that hold both ways, and those that a turn negates."""
    even = {name: rows(model, f"{kind}_{name}") for name in names}
    odd: dict[str, np.ndarray] = {}
    for name in INTERVALS[kind]:
        low, high = rows(model, f"{kind}_{name}").T
        even[name], odd[name] = (high - low)[:, None] / 2, (high + low) / 2
    return even, odd


def _dense(
    values: np.ndarray, counts: np.ndarray, starts: np.ndarray, columns: np.ndarray, width: int
) -> np.ndarray:
    matrix = np.zeros((len(counts), width))
    for row, start, count in zip(matrix, starts, counts, strict=True):
        row[columns[start : start + count]] = values[start : start + count]
    return matrix


def _sums(
    seen: Acting, found: Acting, index: np.ndarray, sign: np.ndarray
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield of each number its name, its sums, and the mirror image of those in the other posture.

    They are (n, nv, nv) of numbers that hold both ways, and (nv,) of the others.
    """
    for name, values in found.even.items():
        one, other = (
            np.einsum("kn,ki,kj->nij", numbers, acting.moments, acting.moments)
            for acting, numbers in ((found, values), (seen, seen.even[name]))
        )
        yield name, one, np.outer(sign, sign) * other[:, index][:, :, index]
    for name, values in found.odd.items():
        yield name, values @ found.moments, sign * (seen.odd[name] @ seen.moments)[index]


def _tolerance(what: str, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """How far sums may be apart: those of intervals as far as the ends of joints' ranges."""
    scale = np.maximum(np.abs(one), np.abs(other))
    if scale.ndim == 3:
        own = np.sqrt(np.diagonal(scale, axis1=1, axis2=2))
        scale = own[:, :, None] * own[:, None, :]
    interval = any(what in names for names in INTERVALS.values())
    return SHARE * scale + (RANGE if interval else _ROUNDING)


def _joint(model: mujoco.MjModel, freedom: int) -> str:
    joint = int(model.dof_jntid[freedom])
    if model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_FREE:
        return "the base"
    return f"joint {model.joint(joint).name!r}"


def _contacts(model: mujoco.MjModel, whole: Whole) -> Iterator[str]:
    """Pairs of links that may, or may not, touch each other."""
    excluded = np.stack([model.exclude_signature >> 16, model.exclude_signature & 0xFFFF], axis=1)
    if _lopsided(model, whole, excluded, np.zeros((len(excluded), 0))):
        yield "the contacts that it excludes are not those of its mirror image"
    paired = model.geom_bodyid[np.stack([model.pair_geom1, model.pair_geom2], axis=1)]
    numbers = np.hstack([rows(model, f"pair_{name}") for name in PAIR])
    if _lopsided(model, whole, paired, numbers):
        yield "its contact pairs are not those of its mirror image"


def _lopsided(model: mujoco.MjModel, whole: Whole, pairs: np.ndarray, numbers: np.ndarray) -> bool:
    """Return whether pairs of bodies (k, 2), each with numbers (k, n), have other images."""
    told = [tuple(row) for row in np.round(numbers, 6).tolist()]
    roots = model.body_weldid[pairs].tolist()
    images = [[whole.bodies.get(root, root) for root in pair] for pair in roots]
    here, there = (
        {(frozenset(pair), row) for pair, row in zip(which, told, strict=True)}
        for which in (roots, images)
    )
    return here != there
