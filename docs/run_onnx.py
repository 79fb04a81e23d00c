"""Walk in plain MuJoCo, without Trot: `python docs/run_onnx.py walk.onnx 0.8 0 0.3`.

Made by `python play.py policies/walk.pt --export walk.onnx`. Needs mujoco, numpy, onnxruntime.
"""

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
if len(words) != len(entries) or not np.isfinite(command).all():
    sys.exit(f"the command is {' '.join(words)!r}; give a number for each of {', '.join(entries)}")
if "offset" not in drive:
    sys.exit(f"no formula says the controls of the drive {drive['name']!r}")
offset, scale = np.array(drive["offset"]), np.array(drive["scale"])
model = mujoco.MjModel.from_xml_string(info["mjcf"])
data = mujoco.MjData(model)
joints = [model.joint(name) for name in info["joints"]]
qpos, qvel = [j.qposadr[0] for j in joints], [j.dofadr[0] for j in joints]
pose, action = np.array(info["nominal_pose"]), np.zeros(len(joints))
data.qpos[2], data.qpos[3], data.qpos[qpos] = info["nominal_height"], 1.0, pose
named = [entry["entry"] for entry in info["command"]]
velocity = np.isin(named, ["lin_vel_x", "lin_vel_y", "yaw_rate"])
moving = np.linalg.norm(command[velocity]) > info["moving_above"]
told = np.where(velocity & ~moving, 0.0, command)
seconds, start = 10, data.qpos[:2].copy()

for step in range(round(seconds * info["control_rate"])):
    mujoco.mj_forward(model, data)  # mj_step leaves its sensors a substep behind
    cycles = step / info["control_rate"] * info["gait_frequency"]
    phase = 2 * np.pi * (cycles + np.array(info["gait_offsets"]))
    values = {
        "lin_vel": data.sensor("lin_vel_b").data,
        "ang_vel": data.sensor("ang_vel_b").data,
        "gravity": -data.sensor("up_b").data,
        "command": told,
        "joint_pos": data.qpos[qpos] - pose,
        "joint_vel": data.qvel[qvel],
        "action": action,
        "clock_sin": moving * np.sin(phase),
        "clock_cos": moving * np.cos(phase),
    }
    blocks = info["observation"]
    if unknown := [block["term"] for block in blocks if block["term"] not in values]:
        sys.exit(f"the policy observes {', '.join(unknown)}: say in `values` what that is")
    terms = [values[block["term"]] * block["scale"] for block in blocks]
    observation = np.concatenate(terms, dtype=np.float32, casting="same_kind")
    if len(observation) != (width := session.get_inputs()[0].shape[1]):
        sys.exit(f"the policy takes {width} observations, and `values` has {len(observation)}")
    action = np.asarray(session.run(["action"], {"observation": observation[None]})[0])[0]
    data.ctrl[:] = offset + scale * action  # a target (rad) or a torque (N·m), see drive["unit"]
    if drive["added_to"] == "joint_pos":
        data.ctrl[:] += data.qpos[qpos]
    mujoco.mj_step(model, data, info["substeps"])

way = np.linalg.norm(data.qpos[:2] - start)
print(f"{way:.2f} m from the start after {seconds} s, base at {data.qpos[2]:.2f} m")
