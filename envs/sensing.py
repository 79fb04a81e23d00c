"""How the state is read from the physics and from what was before."""

from __future__ import annotations

import numpy as np

from envs.bounds import require_shape
from envs.mdp.gaits.commanded import Clock
from envs.mdp.memory.history import History
from envs.mdp.memory.past import Past
from envs.mdp.state import State
from envs.sim.physics import Physics
from envs.task import TaskConfig
from robots.robot import Robot


def read(
    physics: Physics,
    history: History,
    clock: Clock,
    past: Past,
    robot: Robot,
    config: TaskConfig,
) -> State:
    """Read everything once, into arrays that nothing else writes to; nothing has terminated."""
    return State(
        dt=config.simulation.dt,
        timestep=config.simulation.timestep,
        nominal_pose=np.array(robot.nominal_pose),
        nominal_height=robot.nominal_height,
        leg_length=robot.leg_length,
        command_names=config.commands.names,
        base_height=physics.base_height,
        lin_vel_b=physics.lin_vel_b.copy(),
        ang_vel_b=physics.ang_vel_b.copy(),
        gravity_b=physics.gravity_b,
        joint_pos=physics.joint_pos,
        joint_vel=physics.joint_vel,
        joint_acc=history.joint_acc.copy(),
        torque=physics.torque,
        power=physics.power,
        effort=physics.effort,
        foot_height=physics.foot_height,
        foot_vel_w=physics.foot_vel_w.copy(),
        foot_contact=history.foot_contact.copy(),
        touchdown=history.touchdown.copy(),
        air_time=history.air_time.copy(),
        foot_phase=clock.foot_phase(history.phase),
        leg_contact=physics.leg_contact,
        base_contact=physics.base_contact,
        command=history.command.copy(),
        action=history.action.copy(),
        previous_action=history.previous_action.copy(),
        joint_target=past.target.copy(),
        previous_torque=past.previous_torque.copy(),
        past_error=past.error.copy(),
        past_joint_vel=past.velocity.copy(),
        terminated=np.zeros(len(history.steps), bool),
    )


def check(config: TaskConfig, state: State) -> None:
    """Raise ValueError for a reward or a termination that does not give one value a simulation."""
    for kind, terms in (("reward", config.rewards), ("termination", config.terminations)):
        for name, term in terms.items():
            require_shape(f"{kind} {name}", term(state), state.base_height.shape)
