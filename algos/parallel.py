"""Several processes that train one policy: data-parallel sums over torch.distributed.

Every process steps environments of its own and holds the same policy and critic; what is
averaged over a batch is averaged over the processes too, so that all take the same step. Alone, a
`Group` gives back what it is given.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, distributed
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

T = TypeVar("T")


class GroupError(ConnectionError):
    """Another process of the training has ended."""


class Group:
    """The processes of one training, seen from one of them.

    Args:
        rank: which one this is; 0 writes the run's files.
        size: how many there are.
        local_rank, local_size: the same on this machine.
    """

    def __init__(
        self, rank: int = 0, size: int = 1, local_rank: int = 0, local_size: int = 1
    ) -> None:
        self.rank, self.size = rank, size
        self.local_rank, self.local_size = local_rank, local_size
        self.main = rank == 0
        self.bytes = 0
        """Bytes of the tensors that this process has given to `mean`."""

    def mean(self, tensor: Tensor) -> Tensor:
        """The mean of a tensor of any shape over the processes, in its own memory."""
        if self.size > 1:
            self.bytes += tensor.nbytes
            with _told():
                distributed.all_reduce(tensor)
            tensor /= self.size
        return tensor

    def moments(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance over axis 0 (N, …) and over the processes, N being the same in all."""
        var, mean = torch.var_mean(values, dim=0, correction=0)
        if self.size > 1:
            own = mean.clone()
            mean = self.mean(mean)
            var = self.mean(var.add_((own - mean).square_()))
        return mean, var

    def gather(self, value: T) -> list[T]:
        """Every process's value, in the order of ranks."""
        values: list[Any] = [value]
        if self.size > 1:
            values *= self.size
            with _told():
                distributed.all_gather_object(values, value)
        return values

    def share(self, call: Callable[[], T]) -> T:
        """What `call` returns in process 0, which alone runs it.

        Raises:
            SystemExit: in the others, where it raised in process 0.
        """
        if self.size == 1:
            return call()
        answer: list[Any] = [None, False]
        try:
            if self.main:
                answer = [call(), True]
        finally:
            with _told():
                distributed.broadcast_object_list(answer, src=0)
        if not answer[1]:
            raise SystemExit(2)
        return answer[0]

    def seed(self, seed: int, iteration: int) -> int:
        """A seed of this process's own for a training that starts at an iteration."""
        if self.main and iteration == 0:
            return seed
        return int(np.random.SeedSequence((seed, self.rank, iteration)).generate_state(1)[0])


ALONE = Group()


@contextmanager
def join() -> Iterator[Group]:
    """The group that torchrun started this process in, by its environment variables; or `ALONE`.

    Collectives go through NCCL where every process has a CUDA device, and through gloo elsewhere.
    """
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
    if not distributed.is_torchelastic_launched() or os.environ.get("WORLD_SIZE", "1") == "1":
        yield ALONE
        return
    group = Group(*(int(os.environ[name]) for name in names))
    cuda = torch.cuda.is_available() and torch.cuda.device_count() >= group.local_size
    if cuda:
        torch.cuda.set_device(group.local_rank)
    store, rank, size = next(rendezvous("env://"))
    if group.local_size == group.size:  # torchrun's store outlives a restart, with stale addresses
        store = PrefixStore(f"attempt-{restarts()}", store)
    backend = "cpu:gloo,cuda:nccl" if cuda else "gloo"
    distributed.init_process_group(backend, store=store, rank=rank, world_size=size)
    yield group
    distributed.destroy_process_group()


def restarts() -> int:
    """How often torchrun has restarted this training on this machine."""
    return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"))


@contextmanager
def _told() -> Iterator[None]:
    """Say plainly that another process is gone."""
    try:
        yield
    except RuntimeError as error:
        cause = str(error).splitlines()[0]
        raise GroupError(
            f"another process of this training has ended ({cause}); its own message says why, and "
            "--resume goes on from the last checkpoint"
        ) from error
