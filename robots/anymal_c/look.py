"""What ANYmal C looks like: primitives without mass or contact.

Places and sizes (m) are by eye, between the published joints and collision shapes; nothing here
enters the dynamics. Base and hips are drawn with x forward and y left, thighs and shanks with
x outward and z up, all at zero joint angles.
"""

from __future__ import annotations

from robots.brush import Brush


def paint_base(brush: Brush) -> None:
    """Draw the trunk with its shells, sensor heads, handles, hatch and lidar."""
    brush.box("body", (0, 0, -0.015), (0.41, 0.07, 0.07))
    brush.box("body", (0, 0, -0.02), (0.2, 0.115, 0.06))
    for end in (1, -1):
        _paint_head(brush, end)
        for side in (1, -1):
            brush.rod(
                "body", (end * 0.2, side * 0.085, -0.01), (end * 0.25, side * 0.085, -0.01), 0.075
            )
            brush.disc(
                "drive", (end * 0.22, side * 0.104, 0), (end * 0.305, side * 0.104, 0), 0.056
            )
    _paint_top(brush)
    _paint_lidar(brush)


def _paint_top(brush: Brush) -> None:
    for side in (1, -1):
        y = side * 0.075
        brush.rod("shell", (-0.36, y, 0.05), (0.36, y, 0.05), 0.042)
        brush.rod("leg", (-0.2, side * 0.1, 0.145), (0.27, side * 0.1, 0.145), 0.011)
        for x, foot in ((-0.2, -0.24), (0.27, 0.31)):
            brush.rod("leg", (x, side * 0.1, 0.145), (foot, side * 0.085, 0.08), 0.011)
        brush.box("body", (0, side * 0.117, 0.02), (0.13, 0.004, 0.035))
        brush.box("glass", (0, side * 0.12, 0.03), (0.045, 0.004, 0.012))
    brush.box("shell", (0, 0, 0.052), (0.36, 0.075, 0.04))
    brush.box("body", (0.116, 0, 0.092), (0.11, 0.06, 0.004))
    brush.disc("metal", (-0.09, 0.03, 0.09), (-0.09, 0.03, 0.1), 0.018)
    brush.disc("shell", (-0.09, 0.03, 0.1), (-0.09, 0.03, 0.108), 0.013)


def _paint_head(brush: Brush, end: int) -> None:
    """Draw the sensor head at the front (`end` 1) or at the rear (-1)."""
    for z, x in ((0.035, 0.462), (-0.035, 0.45)):
        brush.rod("body", (end * x, -0.09, z), (end * x, 0.09, z), 0.048)
        brush.rod("body", (end * 0.43, -0.09, z), (end * 0.43, 0.09, z), 0.048)
    brush.rod("body", (end * 0.44, -0.085, 0), (end * 0.44, 0.085, 0), 0.055)
    brush.box("body", (end * 0.445, 0, 0), (0.05, 0.115, 0.04))
    brush.box("leg", (end * 0.5, 0, 0.02), (0.013, 0.07, 0.03))
    brush.disc("metal", (end * 0.505, 0, 0.02), (end * 0.517, 0, 0.02), 0.022)
    brush.ball("glass", (end * 0.517, 0, 0.02), (0.008, 0.017, 0.017))
    brush.box("glass", (end * 0.494, 0, -0.04), (0.008, 0.05, 0.012), end * 0.5236)


def _paint_lidar(brush: Brush) -> None:
    x = -0.364
    brush.disc("body", (x, 0, 0.085), (x, 0, 0.105), 0.07)
    brush.disc("leg", (x, 0, 0.105), (x, 0, 0.125), 0.05)
    brush.disc("glass", (x, 0, 0.125), (x, 0, 0.155), 0.051)
    brush.disc("metal", (x, 0, 0.155), (x, 0, 0.175), 0.05)
    brush.disc("body", (x, 0, 0.185), (x, 0, 0.193), 0.066)
    for dx in (0.045, -0.045):
        for y in (0.045, -0.045):
            brush.rod("body", (x + dx, y, 0.1), (x + dx, y, 0.187), 0.006)


def paint_hip(brush: Brush, end: int, side: int) -> None:
    """Draw the bracket that turns about the HAA axis and the HFE drive that it holds."""
    brush.disc("leg", (end * 0.006, 0, 0), (end * 0.03, 0, 0), 0.056)
    brush.rod("leg", (end * 0.03, 0, 0), (end * 0.06, side * 0.02, 0), 0.045)
    brush.disc("drive", (end * 0.06, side * -0.02, 0), (end * 0.06, side * 0.075, 0), 0.053)
    brush.disc("leg", (end * 0.06, side * 0.075, 0), (end * 0.06, side * 0.084, 0), 0.057)


def paint_thigh(brush: Brush) -> None:
    """Draw the link from the HFE axis down to the KFE drive."""
    brush.disc("leg", (0.003, 0, 0), (0.07, 0, 0), 0.062)
    brush.disc("metal", (0.07, 0, 0), (0.073, 0, 0), 0.03)
    for y in (0.024, -0.024):
        brush.rod("leg", (0.042, y, -0.02), (0.034, 0.7 * y, -0.265), 0.026)
    brush.box("leg", (0.038, 0, -0.14), (0.024, 0.024, 0.12))
    brush.disc("drive", (-0.025, 0, -0.285), (0.09, 0, -0.285), 0.05)
    brush.disc("leg", (0.005, 0, -0.285), (0.062, 0, -0.285), 0.054)
    brush.disc("leg", (0.09, 0, -0.285), (0.0985, 0, -0.285), 0.054)


def paint_shank(brush: Brush, ahead: int) -> None:
    """Draw the bent link from the KFE axis to the foot; `ahead` is the side of the bend on y."""
    y = ahead * 0.08795
    brush.disc("leg", (0.001, 0, 0), (0.04, 0, 0), 0.055)
    brush.disc("metal", (0.04, 0, 0), (0.043, 0, 0), 0.026)
    brush.rod("leg", (0.02, ahead * 0.02, -0.005), (0.016, y, -0.045), 0.03)
    brush.rod("leg", (0.016, y, -0.045), (0.01305, y, -0.12), 0.024)
    brush.disc("leg", (0.01305, y, -0.12), (0.01305, y, -0.285), 0.0165)
    brush.disc("drive", (0.01305, y, -0.275), (0.01305, y, -0.297), 0.021)
    brush.ball("rubber", (0.01305, y, -0.31547), (0.03, 0.03, 0.03))
