"""What is written over a frame: time and velocities, and which feet are on the ground."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from envs.mdp.gaits.footfalls import analyse, asked
from envs.mdp.state import State

COMMANDED = (0.18, 0.80, 0.32)
"""Colour of commanded velocities: green."""
ACTUAL = (0.16, 0.50, 0.98)
"""Colour of actual velocities: blue."""
_PANEL = (20, 24, 28, 170)
STANCE = (255, 190, 60)
"""Colour of a foot's time on the ground."""
SMALLEST = (200, 140)
"""Width and height of a frame (pixels) that can hold numbers which one can read."""
_ROOMY = 480
"""Width of a frame (pixels) that has room for panels; a narrower one, a tile, has a label."""
_LEGIBLE, _WIDEST = 9, 42
"""Height of the letters (pixels) wherever a frame is this many times as wide."""
_WIDTH, _LONGEST = 20, 12
"""Width of the panels, and of what the legs' names take of it at most (letters' heights)."""
_SHOWN, _WATCHED = 2.0, 3.0
"""Time that the contact pattern looks back, and that a gait is named from (s)."""


class ContactHistory:
    """The feet's contacts of one simulation over the last two seconds.

    Args:
        dt: time between frames (s).
        feet: number of feet.
    """

    def __init__(self, dt: float, feet: int) -> None:
        self._dt, self._shown = dt, round(_SHOWN / dt)
        self._watched = np.zeros((feet, round(_WATCHED / dt)), bool)
        self._time = -np.inf

    @property
    def pattern(self) -> np.ndarray:
        """Which feet were on the ground, oldest first, (feet, frames)."""
        return self._watched[:, -self._shown :]

    @property
    def gait(self) -> str:
        """Name of the gait of the last three seconds, as `footfalls.analyse` gives it."""
        return analyse(self._watched.T, self._dt).gait

    def told(self, state: State, i: int) -> str:
        """Return the gait of simulation i in words, beside the one that it is asked for."""
        wanted = asked(state.command_names, state.command[i])
        return f"gait: {self.gait}" + (f", asked: {wanted}" if wanted is not None else "")

    def add(self, contact: np.ndarray, time: float) -> None:
        """Add contacts (feet,) at a time (s) of the simulation; one that went back starts anew."""
        if time < self._time:
            self._watched[:] = False
        if time != self._time:
            self._watched = np.roll(self._watched, -1, axis=1)
            self._watched[:, -1] = contact
        self._time = time


def write_overlay(
    pixels: np.ndarray,
    command: np.ndarray,
    actual: np.ndarray,
    time: float,
    pattern: np.ndarray,
    legs: Sequence[str],
    gait: str = "",
) -> np.ndarray:
    """Return a copy of a frame with numbers at its top and the contact pattern at its bottom.

    A narrow frame, as in a grid, has a label of the velocities alone, and one below SMALLEST stays
    as it is: they would hide the robot.

    Args:
        pixels: (height, width, 3) uint8.
        command, actual: forward and leftward speed (m/s) and yaw rate (rad/s), (3,).
        time: of the simulation (s).
        pattern: which feet were on the ground, oldest first, (feet, frames) bool.
        legs: the feet's names.
        gait: what is written over the pattern.
    """
    image = Image.fromarray(np.ascontiguousarray(pixels))
    if image.width < SMALLEST[0] or image.height < SMALLEST[1]:
        return np.asarray(image)
    widest = image.width // _WIDEST
    size = max(min(image.height // 36, widest), min(_LEGIBLE, widest), 6)
    font = ImageFont.load_default(size)
    draw = ImageDraw.Draw(image, "RGBA")
    if image.width < _ROOMY:
        _write_label(draw, font, size, command, actual)
        return np.asarray(image)
    _write_velocities(draw, font, size, command, actual, time)
    _draw_contacts(image, draw, font, size, pattern, legs, gait)
    return np.asarray(image)


def _write_label(
    draw: ImageDraw.ImageDraw,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    size: int,
    command: np.ndarray,
    actual: np.ndarray,
) -> None:
    """Write the numbers alone, the command over what the robot does."""
    pad, line, width = size // 2, round(1.2 * size), 3 * size
    box = (pad, pad, 4 * pad + 3 * width, 3 * pad + 2 * line)
    draw.rounded_rectangle(box, radius=pad, fill=_PANEL)
    for row, (values, colour) in enumerate(((command, COMMANDED), (actual, ACTUAL))):
        for column, value in enumerate(values):
            place = (2 * pad + (column + 1) * width, 2 * pad + row * line)
            _write_number(draw, font, place, f"{value:+.1f}", _text(colour))


def _write_number(
    draw: ImageDraw.ImageDraw,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    place: tuple[float, float],
    text: str,
    colour: tuple[int, ...],
) -> None:
    """Write a signed number that ends at a place, its minus as wide as a plus.

    The font has a hyphen alone, which is hardly seen.
    """
    draw.text(place, text.replace("-", ""), colour, font, anchor="ra")
    if text.startswith("-"):
        width, height = font.getmask("+").size
        left = place[0] - font.getlength(text.replace("-", "+"))
        middle = place[1] + font.getbbox("+")[1] + (height - 1) // 2
        ends = left + 0.1 * width, middle, left + 0.8 * width, middle
        draw.line(ends, colour, max(height // 6, 1))


def _text(colour: tuple[float, float, float]) -> tuple[int, ...]:
    """A colour, lighter, so that it can be read on a panel."""
    return tuple(round(255 * (0.35 + 0.65 * c)) for c in colour)


def _write_velocities(
    draw: ImageDraw.ImageDraw,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    size: int,
    command: np.ndarray,
    actual: np.ndarray,
    time: float,
) -> None:
    pad, line = size // 2, round(1.4 * size)
    columns = [pad, 9 * size, 14 * size, 19 * size]
    draw.rounded_rectangle(
        (pad, pad, _WIDTH * size + pad, 2 * pad + 3 * line), radius=pad, fill=_PANEL
    )
    rows = [
        ((f"{time:.1f} s", "vx m/s", "vy m/s", "yaw rad/s"), (1.0, 1.0, 1.0)),
        (("command", *(f"{v:+.2f}" for v in command)), COMMANDED),
        (("actual", *(f"{v:+.2f}" for v in actual)), ACTUAL),
    ]
    for row, (cells, colour) in enumerate(rows):
        for column, (cell, x) in enumerate(zip(cells, columns, strict=True)):
            place = pad + x, 1.5 * pad + row * line
            if column == 0:
                draw.text(place, cell, _text(colour), font, anchor="la")
            else:
                _write_number(draw, font, place, cell, _text(colour))


def _draw_contacts(
    image: Image.Image,
    draw: ImageDraw.ImageDraw,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    size: int,
    pattern: np.ndarray,
    legs: Sequence[str],
    gait: str,
) -> None:
    """Draw a bar for every stance, the present at the right, below the gait's name."""
    pad, line, bar = size // 2, round(1.2 * size), round(0.8 * size)
    heading = round(1.5 * size) if gait else 0  # the name's descenders stay off the first bar
    top = image.height - 2 * pad - len(legs) * line - heading
    names = max(draw.textlength(leg, font) for leg in legs)
    left = min(max(3 * pad + round(names), 3 * size), _LONGEST * size)
    width = _WIDTH * size - left
    draw.rounded_rectangle(
        (pad, top, _WIDTH * size + pad, image.height - pad), radius=pad, fill=_PANEL
    )
    if gait:
        room = _WIDTH * size - 2 * pad
        narrow = ImageFont.load_default(min(size, size * room / draw.textlength(gait, font)))
        draw.text((2 * pad, top + pad + bar // 2), gait, "white", narrow, anchor="lm")
        top += heading
    for row, (leg, stance) in enumerate(zip(legs, pattern, strict=True)):
        y = top + pad + row * line - (line - bar) // 2
        draw.text((2 * pad, y + bar // 2), leg, "white", font, anchor="lm")
        bars = Image.fromarray(np.where(stance, 255, 0).astype(np.uint8)[None]).resize(
            (width, bar), Image.Resampling.NEAREST
        )
        image.paste(STANCE, (left, y), bars)
