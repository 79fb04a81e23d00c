"""MuJoCo behind named quantities; drives and terrains by name."""

from envs.sim.drives import PD, DCMotor, Delayed, Drive, Network, Relative, Torque
from envs.sim.terrain import Flat, Slope, Terrain

DRIVES: dict[str, type[Drive]] = {
    PD.name: PD,
    Relative.name: Relative,
    Torque.name: Torque,
    Delayed.name: Delayed,
    DCMotor.name: DCMotor,
    Network.name: Network,
}
TERRAINS: dict[str, type[Terrain]] = {
    Flat.name: Flat,
    Slope.name: Slope,
}

__all__ = ["DRIVES", "TERRAINS"]
