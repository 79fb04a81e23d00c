"""What ANYmal B looks like: primitives without mass or contact.

Places and sizes (m) are by eye, between the published joints and collision shapes; nothing here
enters the dynamics. All is drawn with x forward, y left and z up at zero joint angles.
"""

from __future__ import annotations

from robots.brush import Brush


def paint_base(brush: Brush) -> None:
    """Draw the trunk with its HAA drives, its shells, the cage above and the sensors."""
    brush.box("body", (0, 0, -0.05), (0.262, 0.06, 0.05))
    brush.box("body", (0, 0, 0.07), (0.262, 0.098, 0.095))
    brush.box("shell", (0, 0, 0.168), (0.235, 0.085, 0.014))
    brush.box("body", (0.05, 0, 0.188), (0.1, 0.055, 0.008))
    for side in (1, -1):
        _paint_side(brush, side)
        for end in (1, -1):
            _paint_drive(brush, end, side)
    for end in (1, -1):
        brush.rod("shell", (end * 0.243, -0.07, 0.16), (end * 0.243, 0.07, 0.16), 0.02)
        brush.rod("leg", (end * 0.215, -0.062, 0.275), (end * 0.215, 0.062, 0.275), 0.011)
        brush.box("leg", (end * 0.266, 0, 0.06), (0.008, 0.05, 0.045))
        brush.box("glass", (end * 0.274, 0, 0.075), (0.003, 0.04, 0.011))
        _paint_head(brush, end)
    _paint_lidar(brush)
    brush.disc("metal", (-0.13, 0.03, 0.18), (-0.13, 0.03, 0.192), 0.018)
    brush.disc("shell", (-0.13, 0.03, 0.192), (-0.13, 0.03, 0.2), 0.013)


def _paint_side(brush: Brush, side: int) -> None:
    """Draw the panel of a side and the rail of the cage above it."""
    brush.box("shell", (0, side * 0.1, 0.115), (0.2, 0.01, 0.04))
    brush.box("leg", (0, side * 0.1, 0.045), (0.15, 0.012, 0.022))
    brush.box("glass", (0, side * 0.111, 0.115), (0.07, 0.002, 0.018))
    y = side * 0.062
    brush.rod("leg", (-0.215, y, 0.275), (0.215, y, 0.275), 0.011)
    for x, foot in ((-0.215, -0.245), (0, 0), (0.215, 0.245)):
        brush.rod("leg", (x, y, 0.275), (foot, side * 0.078, 0.17), 0.011)


def _paint_drive(brush: Brush, end: int, side: int) -> None:
    """Draw an HAA drive, which lies along the trunk."""
    y = side * 0.116
    brush.disc("leg", (end * 0.135, y, 0), (end * 0.24, y, 0), 0.05)
    brush.disc("shell", (end * 0.155, y, 0), (end * 0.165, y, 0), 0.0515)
    brush.disc("drive", (end * 0.215, y, 0), (end * 0.26, y, 0), 0.054)
    brush.box("body", (end * 0.2, side * 0.08, 0.01), (0.06, 0.03, 0.045))


def _paint_head(brush: Brush, end: int) -> None:
    """Draw the sensor head at the front (`end` 1) or at the rear (-1)."""
    brush.box("body", (end * 0.325, 0, 0.175), (0.07, 0.075, 0.035))
    brush.rod("body", (end * 0.395, -0.06, 0.175), (end * 0.395, 0.06, 0.175), 0.033)
    brush.box("glass", (end * 0.427, 0, 0.18), (0.004, 0.05, 0.013))
    for y in (-0.036, 0.036):
        brush.disc("metal", (end * 0.425, y, 0.18), (end * 0.433, y, 0.18), 0.012)
        brush.ball("glass", (end * 0.433, y, 0.18), (0.005, 0.009, 0.009))


def _paint_lidar(brush: Brush) -> None:
    brush.disc("leg", (0.335, 0, 0.21), (0.335, 0, 0.23), 0.036)
    brush.disc("glass", (0.335, 0, 0.23), (0.335, 0, 0.252), 0.033)
    brush.disc("drive", (0.335, 0, 0.252), (0.335, 0, 0.266), 0.035)


def paint_hip(brush: Brush, end: int, side: int) -> None:
    """Draw the bracket that turns about the HAA axis and the HFE drive that it holds."""
    x, y = end * 0.0635, side * -0.009
    brush.disc("metal", (end * -0.012, 0, 0), (end * 0.006, 0, 0), 0.045)
    brush.box("leg", (end * 0.018, y, 0), (0.014, 0.036, 0.042))
    brush.disc("leg", (x, y - 0.045, 0), (x, y + 0.045, 0), 0.05)
    brush.disc("drive", (x, y - 0.02, 0), (x, y + 0.02, 0), 0.056)
    brush.disc("shell", (x, y - side * 0.047, 0), (x, y - side * 0.032, 0), 0.0515)
    brush.disc("metal", (x, y - side * 0.05, 0), (x, y - side * 0.046, 0), 0.03)


def paint_thigh(brush: Brush, side: int) -> None:
    """Draw the beam from the HFE axis down to the KFE drive."""
    brush.disc("drive", (0, side * -0.003, 0), (0, side * 0.04, 0), 0.06)
    brush.disc("leg", (0, side * 0.04, 0), (0, side * 0.058, 0), 0.04)
    brush.disc("metal", (0, side * 0.058, 0), (0, side * 0.061, 0), 0.022)
    for x in (-0.022, 0.022):
        brush.rod("leg", (x, side * 0.02, -0.03), (x, side * 0.05, -0.22), 0.016)
    brush.box("leg", (0, side * 0.035, -0.125), (0.022, 0.012, 0.09), 0)
    brush.disc("leg", (0, side * 0.014, -0.25), (0, side * 0.1, -0.25), 0.05)
    brush.disc("drive", (0, side * 0.03, -0.25), (0, side * 0.075, -0.25), 0.056)
    brush.disc("shell", (0, side * 0.012, -0.25), (0, side * 0.026, -0.25), 0.0515)
    brush.disc("metal", (0, side * 0.009, -0.25), (0, side * 0.013, -0.25), 0.03)


def paint_shank(brush: Brush, end: int, side: int) -> None:
    """Draw the link from the KFE axis to the thin tube with the foot."""
    x, y = end * 0.1, side * -0.02
    brush.disc("leg", (0, side * -0.006, 0), (0, side * 0.02, 0), 0.05)
    brush.disc("metal", (0, side * 0.02, 0), (0, side * 0.023, 0), 0.026)
    for z in (-0.016, 0.016):
        brush.rod("leg", (0, side * 0.004, 1.5 * z), (x, y, z), 0.016)
    brush.box("leg", (x, y, 0), (0.021, 0.02, 0.032))
    brush.disc("metal", (x, y, -0.03), (x, y, -0.05), 0.018)
    brush.disc("body", (x, y, -0.05), (x, y, -0.265), 0.0125)
    brush.disc("shell", (x, y, -0.05), (x, y, -0.058), 0.0185)
    brush.disc("metal", (x, y, -0.245), (x, y, -0.27), 0.017)
    brush.ball("rubber", (x, y, -0.28625), (0.032, 0.032, 0.032))
