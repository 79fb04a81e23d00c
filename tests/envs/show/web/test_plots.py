"""Lines of the plots stand out on a white page and on a dark one."""

from __future__ import annotations

import numpy as np
import pytest

from envs.show.web import plots

BACKGROUNDS = [(1.0, 1.0, 1.0), (36 / 255, 36 / 255, 36 / 255)]
"""Of viser's panels, light and dark."""


def test_luminance_is_that_of_the_web_s_guidelines() -> None:
    assert plots.luminance((1.0, 1.0, 1.0)) == pytest.approx(1.0)
    assert plots.luminance((0.0, 0.0, 0.0)) == 0.0
    assert plots.luminance((0.5, 0.5, 0.5)) == pytest.approx(0.2140, abs=1e-4)


@pytest.mark.parametrize("background", BACKGROUNDS)
def test_every_line_stands_out(background: tuple[float, float, float]) -> None:
    lines = [plots._COMMANDED, plots._ACTUAL, *map(plots.hue, np.linspace(0, 1, 24))]
    for line in lines:
        darker, lighter = sorted([plots.luminance(line), plots.luminance(background)])
        assert (lighter + 0.05) / (darker + 0.05) > 3  # WCAG 2.2, 1.4.11
