"""The report's figures for robots of any number of legs, read from what is drawn."""

from __future__ import annotations

import colorsys
import re

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from envs.judge.intervals import wilson
from envs.judge.trials import Pushes, Steady
from envs.mdp.commands import VELOCITY
from envs.mdp.recording import Recording
from envs.show.report import figures

DT = 0.02


def steady(contact: np.ndarray, per_leg: int = 2) -> Steady:
    """What a robot with these contacts, (T, feet), does, its joints a sine each."""
    steps, legs = contact.shape
    rest, n = np.zeros((steps, 1)), legs * per_leg
    joints = np.sin(np.arange(steps)[:, None] / 5 + np.arange(n))[:, None]
    recording = Recording(
        DT,
        20.0,
        0.5,
        VELOCITY,
        (0.0,) * n,
        rest == 0,
        np.zeros((steps, 1, 3)),
        np.zeros((steps, 1, 3)),
        joint_pos=joints,
        joint_vel=joints,
        torque=joints,
        effort=np.abs(joints),
        power=rest,
        base_height=rest,
        base_tilt=rest,
        base_vel_z=rest,
        foot_contact=contact[:, None],
        foot_height=np.zeros((steps, 1, legs)),
        foot_speed=np.zeros((steps, 1, legs)),
        foot_vel_z=np.zeros((steps, 1, legs)),
    )
    limits = {
        "position": np.tile([-1.0, 1.0], (n, 1)),
        "speed": np.linspace(10.0, 20.0, n),
        "torque": np.full(n, 30.0),
    }
    return Steady((0.5, 0.0, 0.0), recording, None, None, limits)


def bars(svg: str, colour: str) -> list[tuple[float, float]]:
    """Return where the bars of a colour begin and end, from left to right."""
    paths = re.findall(rf'<path d="([^"]+)"[^>]*style="fill: {colour}"', svg)
    points = [[float(x) for x in re.findall(r"[ML] ([\d.]+)", path)] for path in paths]
    return sorted((min(x), max(x)) for x in points)


def test_diagonal_legs_of_a_quadruped_share_a_hue() -> None:
    hues = [colorsys.rgb_to_hsv(*to_rgb(colour))[0] for colour in figures.leg_colours(4)]
    lf, rf, lh, rh = hues
    assert lf == pytest.approx(rh, abs=0.02)
    assert rf == pytest.approx(lh, abs=0.02)
    assert abs(lf - rf) > 0.3


@pytest.mark.parametrize("legs", [1, 2, 3, 4, 6, 12])
def test_every_leg_has_a_colour_of_its_own(legs: int) -> None:
    colours = figures.leg_colours(legs)
    assert len(set(colours)) == legs
    red = colorsys.rgb_to_hsv(*to_rgb(figures.LIMIT))[0]
    hues = np.array([colorsys.rgb_to_hsv(*to_rgb(colour))[0] for colour in colours])
    assert np.abs((hues - red + 0.5) % 1.0 - 0.5).min() > 0.05  # that of a limit is no leg's


def test_a_biped_s_footfalls_are_where_its_feet_were_down() -> None:
    """Left: down from 0.2 to 0.6 s and from 1.0 s on; right: from 0.6 to 1.0 s; 1.2 s in all."""
    contact = np.zeros((60, 2), bool)
    contact[10:30, 0] = contact[50:, 0] = contact[30:50, 1] = True
    svg = figures.footfall_diagram(steady(contact), ("left", "right"))
    first, second = (bars(svg, colour) for colour in figures.leg_colours(2))
    (start, end), (again, last) = first
    assert (end - start) / (last - start) == pytest.approx(0.4, rel=1e-3)  # of a second
    assert (again - start) / (last - start) == pytest.approx(0.8, rel=1e-3)
    assert second == [pytest.approx((end, again), rel=1e-3)]
    assert svg.count(">left<") == svg.count(">right<") == 1


def test_a_hexapod_s_tripods_alternate() -> None:
    legs = ("L1", "R1", "L2", "R2", "L3", "R3")
    rows = np.arange(80)[:, None]
    contact = ((rows // 20 + np.array([0, 1, 0, 1, 0, 1])) % 2).astype(bool)
    svg = figures.footfall_diagram(steady(contact), legs)
    drawn = [bars(svg, colour) for colour in figures.leg_colours(6)]
    assert [len(leg) for leg in drawn] == [2] * 6
    assert drawn[0] == drawn[2] == drawn[4]
    assert drawn[1] == drawn[3] == drawn[5]
    assert drawn[1][0][1] == pytest.approx(drawn[0][0][0], rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(("legs", "per_leg"), [(1, 1), (2, 2), (6, 3)])
def test_every_joint_is_drawn_in_its_leg_s_colour(legs: int, per_leg: int) -> None:
    names = [f"joint {leg} {part}" for leg in range(legs) for part in range(per_leg)]
    svg = figures.joints(steady(np.ones((50, legs), bool), per_leg), names, legs)
    assert all(svg.count(f">{name}<") == 1 for name in names)
    for colour in figures.leg_colours(legs):
        assert svg.count(f"stroke: {colour};") == 3 * per_leg  # position, speed, torque


@pytest.mark.slow
def test_pushes_that_no_robot_met_leave_the_map_empty() -> None:
    nobody = np.zeros((2, 4), int)
    pushes = Pushes(np.array([0.5, 1.0]), np.arange(4) * np.pi / 2, nobody, nobody)
    svg = figures.push_map(pushes)
    assert not re.findall(r'id="pushes-patch_\d+">\s*<path [^>]*style="fill: #(?!ffffff)', svg)
    assert "share still up" in svg


def test_wilson_intervals_of_the_textbook() -> None:
    """0 of 10: (0, 0.2775); 5 of 10: (0.2366, 0.7634)."""
    low, high = wilson(np.array([0, 5, 0]), np.array([10, 10, 0]))
    assert low == pytest.approx([0.0, 0.2366, np.nan], abs=1e-4, nan_ok=True)
    assert high == pytest.approx([0.2775, 0.7634, np.nan], abs=1e-4, nan_ok=True)
