import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv

from algos.parallel import ALONE, Group
from algos.rollout.advantages import generalized_advantages
from algos.rollout.collector import Collector
from algos.rollout.rollout import Rollout, sound_samples
from algos.training.evaluate import evaluate


class Clock(gym.Env):
    """Observes (episode, step); reward 10 * episode + step; ends after a scripted length."""

    observation_space = spaces.Box(-np.inf, np.inf, (2,), np.float32)
    action_space = spaces.Box(-1.0, 1.0, (1,))

    def __init__(self, lengths: list[int], terminates: bool):
        self._lengths, self._terminates = lengths, terminates
        self._episode = -1

    def _observe(self) -> np.ndarray:
        return np.array([self._episode, self._step], dtype=np.float32)

    def reset(self, *, seed=None, options=None):
        self._episode += 1
        self._step = 0
        return self._observe(), {}

    def step(self, action):
        reward = 10.0 * self._episode + self._step
        self._step += 1
        over = self._step == self._lengths[self._episode % len(self._lengths)]
        return (
            self._observe(),
            reward,
            over and self._terminates,
            over and not self._terminates,
            {},
        )


def clocks(mode: AutoresetMode = AutoresetMode.SAME_STEP) -> SyncVectorEnv:
    return SyncVectorEnv(
        [lambda: Clock([3, 2], True), lambda: Clock([2, 100], False)], autoreset_mode=mode
    )


def zero_action(observations: torch.Tensor) -> tuple[torch.Tensor, np.ndarray]:
    return torch.zeros(len(observations), 1), np.zeros((len(observations), 1), dtype=np.float32)


def test_collector_keeps_every_transition_across_autoresets():
    rollout = Collector(clocks(), zero_action, 4).collect()
    ending = [[0, 0], [0, 1], [0, 2], [1, 0]]
    cut = [[0, 0], [0, 1], [1, 0], [1, 1]]
    expected = np.stack([ending, cut], 1)
    np.testing.assert_array_equal(rollout.observations, expected)
    np.testing.assert_array_equal(rollout.rewards, 10 * expected[..., 0] + expected[..., 1])
    assert rollout.terminated[:, 0].tolist() == [False, False, True, False]
    assert rollout.truncated[:, 1].tolist() == [False, True, False, False]
    assert not rollout.truncated[:, 0].any()
    assert rollout.final_rows.tolist() == [1 * 2 + 1]
    assert rollout.final_observations.tolist() == [[0, 2]]
    assert rollout.next_observations.tolist() == [[1, 1], [1, 2]]


def test_episode_statistics_span_rollouts():
    collector = Collector(clocks(), zero_action, 2)
    first, second = collector.collect(), collector.collect()
    assert first.metrics["episodes"] == 1
    assert first.metrics["episode_return"] == 0 + 1
    assert second.metrics["episode_return"] == (1 + 3) / 2
    assert second.metrics["episode_length"] == (2 + 3) / 2


class DenseInfo(gym.vector.VectorWrapper):
    """Gives final observations as one dense array, and a reward term a finished episode."""

    def step(self, actions):
        observations, reward, terminated, truncated, info = super().step(actions)
        done = terminated | truncated
        final = observations.copy()
        for i in np.flatnonzero(done):
            final[i] = info["final_obs"][i]
        info = {"final_obs": final, "_final_obs": done}
        info["trot"] = {"episode_means": {"tracking": np.array([4.0, 8.0])}}
        return observations, reward, terminated, truncated, info


def test_dense_final_observations_and_episode_terms_are_understood():
    rollout = Collector(DenseInfo(clocks()), zero_action, 4).collect()
    assert rollout.final_observations.tolist() == [[0, 2]]
    assert rollout.metrics["episode/tracking"] == (4.0 + 8.0) / 2


def test_other_autoreset_modes_and_observations_are_refused():
    with pytest.raises(ValueError, match="SAME_STEP"):
        Collector(clocks(AutoresetMode.NEXT_STEP), zero_action, 4)
    envs: VectorEnv = clocks()
    envs.single_observation_space = spaces.Dict({"a": Clock.observation_space})
    with pytest.raises(ValueError, match=r"Dict.*one axis"):
        Collector(envs, zero_action, 4)


def rollout_of(rewards, terminated, truncated, final_rows=()) -> Rollout:
    steps, n = np.shape(rewards)
    return Rollout(
        observations=torch.zeros(steps, n, 1),
        actions=torch.zeros(steps, n, 1),
        rewards=torch.tensor(rewards, dtype=torch.float32),
        terminated=torch.tensor(terminated).bool(),
        truncated=torch.tensor(truncated).bool(),
        next_observations=torch.zeros(n, 1),
        final_observations=torch.zeros(len(final_rows), 1),
        final_rows=torch.tensor(final_rows, dtype=torch.int64),
    )


class Pair(Group):
    """Two processes, of which the other one leaves out two environments."""

    def __init__(self) -> None:
        super().__init__(0, 2, 0, 2)

    def mean(self, tensor):
        return tensor / 2

    def gather(self, value):
        return [value, 2]


@pytest.mark.parametrize(("group", "kept", "omitted"), [(ALONE, 3, 1), (Pair(), 2, 4)])
def test_every_process_leaves_out_as_many_environments(group, kept, omitted):
    zeros = np.zeros((2, 4))
    rollout, advantages = rollout_of(zeros, zeros, zeros), torch.arange(8.0).view(2, 4)
    advantages[1, 0] = torch.inf
    (mine, actions, observations), count = sound_samples(group, rollout, advantages)
    assert mine.tolist() == [*range(1, 1 + kept), *range(5, 5 + kept)]
    assert len(actions) == len(observations) == 2 * kept
    assert count == omitted


def test_huge_numbers_are_finite():
    zeros, largest = np.zeros((2, 4)), torch.finfo(torch.float32).max
    rollout, advantages = rollout_of(zeros, zeros, zeros), torch.zeros(2, 4)
    rollout.observations.fill_(largest)
    (_, _, observations), count = sound_samples(ALONE, rollout, advantages)
    assert (len(observations), count) == (8, 0)
    advantages[0, 2] = torch.nan
    (_, _, observations), count = sound_samples(ALONE, rollout, advantages)
    assert (len(observations), count) == (6, 1)


def test_advantages_match_a_hand_computed_table():
    """γ = 0.5, λ = 0.5: one column terminates at step 1, one is cut there with V(final) = 8."""
    rollout = rollout_of(
        [[1, 1], [2, 2], [3, 3]], [[0, 0], [1, 0], [0, 0]], [[0, 0], [0, 1], [0, 0]], [3]
    )
    values = torch.tensor([[1.0, 1.0], [2.0, 2.0], [4.0, 4.0]])
    advantages = generalized_advantages(
        rollout, values, torch.tensor([6.0, 6.0]), torch.tensor([8.0]), 0.5, 0.5
    )
    # δ_2 = 3 + .5·6 - 4 = 2;  δ_1 = 2 - 2 = 0 or 2 + .5·8 - 2 = 4;  δ_0 = 1 + .5·2 - 1 = 1
    assert advantages.tolist() == [[1.0, 2.0], [0.0, 4.0], [2.0, 2.0]]


def test_lambda_one_gives_the_discounted_return_less_the_value():
    rollout = rollout_of([[1.0], [1.0], [1.0]], [[0], [0], [1]], [[0], [0], [0]])
    values = torch.tensor([[5.0], [6.0], [7.0]])
    advantages = generalized_advantages(
        rollout, values, torch.tensor([100.0]), torch.zeros(0), 0.9, 1.0
    )
    expected = torch.tensor([[1 + 0.9 + 0.81 - 5], [1 + 0.9 - 6], [1 - 7.0]])
    torch.testing.assert_close(advantages, expected)


@pytest.mark.parametrize("cut_at", [0, 3, 9])
def test_a_time_out_is_worth_the_infinite_horizon(cut_at: int):
    """Reward 1 for ever is worth 1/(1-γ): cutting such an episode changes no advantage."""
    truncated = np.zeros((10, 1))
    truncated[cut_at] = 1
    rollout = rollout_of(np.ones((10, 1)), np.zeros((10, 1)), truncated, [cut_at])
    value = 1 / (1 - 0.9)
    advantages = generalized_advantages(
        rollout, torch.full((10, 1), value), torch.tensor([value]), torch.tensor([value]), 0.9, 0.95
    )
    torch.testing.assert_close(advantages, torch.zeros(10, 1), atol=1e-5, rtol=0)


def test_evaluation_counts_the_same_number_of_episodes_in_every_environment():
    result = evaluate(lambda o: np.zeros((len(o), 1), dtype=np.float32), clocks(), 4)
    # returns 0+1+2 and 10+11 of the first, 0+1 and 100 steps from 10 of the second
    returns = [3, 21, 1, 10 * 100 + 99 * 50]
    assert result["episodes"] == 4
    assert result["return_mean"] == pytest.approx(np.mean(returns))
    assert result["return_std"] == pytest.approx(np.std(returns))
    assert result["length_mean"] == (3 + 2 + 2 + 100) / 4


def test_evaluation_cuts_episodes_that_do_not_end():
    result = evaluate(lambda o: np.zeros((len(o), 1), dtype=np.float32), clocks(), 4, max_length=20)
    # the last of the four is cut after 20 of its 100 steps
    assert result["episodes"] == 4
    assert result["length_mean"] == (3 + 2 + 2 + 20) / 4


def test_the_rest_of_an_episode_that_was_cut_is_no_other_one():
    envs = SyncVectorEnv([lambda: Clock([15], True)], autoreset_mode=AutoresetMode.SAME_STEP)
    act = lambda o: np.zeros((len(o), 1), dtype=np.float32)  # noqa: E731
    result = evaluate(act, envs, 3, max_length=10)
    assert result["length_mean"] == 10
    assert result["return_mean"] == np.mean([10 * 10 * k + 45 for k in (0, 1, 2)])
