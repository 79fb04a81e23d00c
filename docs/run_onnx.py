"""Walk in plain MuJoCo, without Trot: `python docs/run_onnx.py walk.onnx 0.8 0 0.3`.

Made by `python play.py policies/walk.pt --export walk.onnx`. Needs mujoco, numpy, onnxruntime; and
torch, where the drives are a TorchScript file.
"""

import base64
import io
import json
import sys

import mujoco
import numpy as np
import onnxruntime

if len(sys.argv) < 2:
    sys.exit("give a file and its command: python docs/run_onnx.py walk.onnx 0.8 0 0.3")
file, *words = sys.argv[1:]
try:
    session = onnxruntime.InferenceSession(file)
    info = json.loads(session.get_modelmeta().custom_metadata_map["trot"])
    drive, entries = info["drive"], [f"{c['entry']} ({c['unit']})" for c in info["command"]]
except Exception as error:  # onnxruntime's have no class of their own
    reason = str(error).partition("\n")[0]
    sys.exit(f"{file} is no robot's policy that play.py --export wrote as .onnx: {reason}")
try:
    command = np.array(words, float)
except ValueError:
    command = np.full(len(words), np.nan)
if len(words) == 3 and len(entries) > 3:  # a velocity, the gait of rest
    command = np.append(command, [entry["rest"] for entry in info["command"][3:]])
if len(command) != len(entries) or not np.isfinite(command).all():
    sys.exit(f"the command is {' '.join(words)!r}; give a number for each of {', '.join(entries)}")
if "offset" not in drive:
    sys.exit(f"no formula says the controls of the drive {drive['name']!r}")
offset, scale = np.array(drive["offset"]), np.array(drive["scale"])
try:
    model = mujoco.MjModel.from_xml_string(info["mjcf"])
except ValueError as error:
    sys.exit(f"the robot's model cannot be built: {' '.join(str(error).split())}")
data = mujoco.MjData(model)
joints = [model.joint(name) for name in info["joints"]]
qpos, qvel = [j.qposadr[0] for j in joints], [j.dofadr[0] for j in joints]
pose, action = np.array(info["nominal_pose"]), np.zeros(len(joints))
data.qpos[2], data.qpos[3], data.qpos[qpos] = info["nominal_height"], 1.0, pose


def depth():
    """How deep the robot is inside the ground (m)."""
    mujoco.mj_forward(model, data)
    ground = model.geom_bodyid[data.contact.geom].min(axis=1) == 0
    return -min(data.contact.dist[ground], default=0.0)


while (sunken := depth()) > 1e-3:  # in a slope, a step or a bump
    data.qpos[2] += sunken
named = [entry["entry"] for entry in info["command"]]
velocity = np.isin(named, ["lin_vel_x", "lin_vel_y", "yaw_rate"])
moving = np.linalg.norm(command[velocity]) > info["moving_above"]
told = np.where(velocity & ~moving, 0.0, command)
commanded = dict(zip(named, told, strict=True))
footfalls = [value for name, value in commanded.items() if name.startswith("footfall_")]
frequency = commanded.get("gait_frequency", info["gait_frequency"])
offsets = -np.array(footfalls) if footfalls else np.array(info["gait_offsets"])
duty = commanded.get("duty", info.get("gait_duty", 0.5))
timestep, limit = model.opt.timestep, np.array(info["torque_limit"])
blocks, control = info["observation"], pose
lagged = {  # how many physics steps ago, and which of the two in `past`
    block["term"]: (round(block["params"]["lag"] / timestep), block["function"] == "past_joint_vel")
    for block in blocks
    if "lag" in block.get("params", {})
}
past = np.zeros((max([steps for steps, _ in lagged.values()], default=0), 2, len(joints)))


def height():
    """Height of the base over the ground below it (m)."""
    ground = (np.arange(6) == 1).astype(np.uint8)  # has this group to itself
    return mujoco.mj_ray(model, data, data.qpos[:3], [0, 0, -1], ground, 1, -1, None)


def curve(speed, limit, stall, no_load):
    """Smallest and largest torque of a DC motor at a speed."""
    return [np.clip(stall * (sign - speed / no_load), -limit, limit) for sign in (-1.0, 1.0)]


def delayed():
    """Targets that arrive late, by the middle of the range that the policy learned with."""
    line = [pose] * round(sum(drive["delay"]) / 2 / timestep)

    def arriving(target):
        line.append(target)
        return line.pop(0)

    return arriving


def dc_motor():
    """The target at which the position actuator gives no more than a DC motor can."""
    kp, stall, no_load = (
        np.array(n) for n in (info["kp"], drive["stall_torque"], drive["no_load_speed"])
    )

    def within(target):
        q, v = data.qpos[qpos], data.qvel[qvel]
        damping = np.array(info["kd"]) * v
        torque = np.clip(kp * (target - q) - damping, *curve(v, limit, stall, no_load))
        return q + (torque + damping) / kp

    return within


def network():
    """The torque of a learned model, from the past of position errors and speeds."""
    net = drive["network"]
    names = ["position_error", "joint_velocity"]
    back = [round(lag / timestep) for _, lag in net["inputs"]]
    what = [names.index(name) for name, _ in net["inputs"]]
    past = np.zeros((max(back) + 1, 2, len(joints)))  # the present first
    evaluate = perceptron(net) if net["kind"] == "perceptron" else file_of_others(net)
    most = net["torque_limit"] or np.inf

    def torque(target):
        past[1:] = past[:-1].copy()
        past[0] = target - data.qpos[qpos], data.qvel[qvel]
        low, high = -most, most
        if net["no_load_speed"]:
            low, high = curve(past[0, 1], most, net["stall_torque"], net["no_load_speed"])
        return np.clip(evaluate(past[back, what]), low, high)  # of (inputs, joints)

    return torque


def perceptron(net):
    """Torques of inputs (inputs, joints): linear · x, and the odd part of a perceptron."""
    layers = [(np.array(weight), np.array(bias)[:, None]) for weight, bias in net["layers"]]
    activate = {
        "tanh": np.tanh,
        "softsign": lambda z: z / (1 + abs(z)),
        "relu": lambda z: np.maximum(z, 0),
    }[net["activation"]]

    def g(x):
        for i, (weight, bias) in enumerate(layers):
            x = weight @ (activate(x) if i else x) + bias
        return x[0]

    return lambda x: np.array(net["linear"]) @ x + (g(x) - g(-x)) / 2


def file_of_others(net):
    """The same of an ONNX or TorchScript file, each sign with hidden states of its own."""
    content, k = base64.b64decode(net["data"]), 2 * len(joints)
    scale, offset = (np.array(net[name], np.float32) for name in ("scale", "offset"))
    states = [np.zeros((layers, k, width), np.float32) for layers, width in net["states"]]
    if net["kind"] == "onnx":
        other = onnxruntime.InferenceSession(content)
        names = [entry.name for entry in other.get_inputs()]
    else:
        import torch

        module = torch.jit.load(io.BytesIO(content))

    def evaluate(x):
        both = np.concatenate([x, -x], axis=1).T.astype(np.float32)
        both = (both + offset) * scale
        given = both[:, None] if states else both
        if net["kind"] == "onnx":
            fed = dict(zip(names, [given, *states], strict=True))
            output, *states[:] = other.run(None, fed)
        elif states:
            hidden = tuple(map(torch.from_numpy, states))
            with torch.no_grad():
                output, after = module(torch.from_numpy(given), hidden if hidden[1:] else hidden[0])
            output, after = output.numpy(), after if hidden[1:] else [after]
            states[:] = [state.numpy() for state in after]
        else:
            output = module(torch.from_numpy(given)).detach().numpy()
        plus, minus = output.reshape(2, -1)
        return net["torque_scale"] * (plus - minus) / 2

    return evaluate


machines = {"delayed": delayed, "dc_motor": dc_motor, "network": network}
if drive["every_substep"] and drive["name"] not in machines:
    sys.exit(f"say in `machines` what the drive {drive['name']!r} does in every physics step")
in_each_step = machines[drive["name"]]() if drive["every_substep"] else None
seconds, start = 10, data.qpos[:2].copy()

for step in range(round(seconds * info["control_rate"])):
    mujoco.mj_forward(model, data)  # mj_step leaves its sensors a substep behind
    place = (step / info["control_rate"] * frequency + offsets) % 1.0
    phase = np.pi * np.where(place < duty, place / duty, 1 + (place - duty) / (1 - duty))
    values = {
        "lin_vel": data.sensor("lin_vel_b").data,
        "ang_vel": data.sensor("ang_vel_b").data,
        "gravity": -data.sensor("up_b").data,
        "command": told,
        "velocity_command": told[velocity],
        **{name: np.array([value]) for name, value in commanded.items()},
        "joint_pos": data.qpos[qpos] - pose,
        "joint_vel": data.qvel[qvel],
        "action": action,
        "clock_sin": moving * np.sin(phase),
        "clock_cos": moving * np.cos(phase),
        "base_height": np.array([height()]),
        "joint_target": control - pose,
    }
    values |= {term: past[steps - 1, int(speed)] for term, (steps, speed) in lagged.items()}
    if unknown := [block["term"] for block in blocks if block["term"] not in values]:
        sys.exit(f"the policy observes {', '.join(unknown)}: say in `values` what that is")
    terms = [values[block["term"]] * block["scale"] for block in blocks]
    observation = np.concatenate(terms, dtype=np.float32, casting="same_kind")
    if len(observation) != (width := session.get_inputs()[0].shape[1]):
        sys.exit(f"the policy takes {width} observations, and `values` has {len(observation)}")
    action = np.asarray(session.run(["action"], {"observation": observation[None]})[0])[0]
    control = offset + scale * action  # a target (rad) or a torque (N·m), see drive["unit"]
    if drive["added_to"] == "joint_pos":
        control = control + data.qpos[qpos]
    if in_each_step is None and not lagged:
        data.ctrl[:] = control
        mujoco.mj_step(model, data, info["substeps"])
        continue
    for _ in range(info["substeps"]):
        if lagged:
            past[1:] = past[:-1].copy()
            past[0] = control - data.qpos[qpos], data.qvel[qvel]
        data.ctrl[:] = in_each_step(control) if in_each_step else control
        mujoco.mj_step(model, data, 1)

way = np.linalg.norm(data.qpos[:2] - start)
print(f"{way:.2f} m from the start after {seconds} s, base at {data.qpos[2]:.2f} m")
