"""One launch for a fixed sequence of kernels: CUDA graphs."""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Function = Callable[..., tuple[Tensor, ...]]


class Replayed:
    """A function of tensors that runs as a CUDA graph.

    The graph is captured at the first call, and again whenever a shape changes; other calls copy
    their arguments into the captured ones and launch it. Results are the graph's own memory: the
    next call overwrites them.

    Args:
        function: of tensors on one CUDA device, which it must not wait for; whatever else it reads
            (parameters, say) must stay at its place in memory.
    """

    def __init__(self, function: Function):
        self._function = function
        self._inputs: tuple[Tensor, ...] = ()
        self._outputs: tuple[Tensor, ...] = ()
        self._launch: Callable[[], None] | None = None

    def __call__(self, *arguments: Tensor) -> tuple[Tensor, ...]:
        """The function's results."""
        shapes = [argument.shape for argument in arguments]
        if self._launch is None or shapes != [own.shape for own in self._inputs]:
            self._launch, self._outputs = None, ()  # the old graph's memory goes first
            self._inputs = tuple(argument.clone() for argument in arguments)
            with torch.cuda.device_of(arguments[0]):
                self._launch, self._outputs = capture(lambda: self._function(*self._inputs))
        for own, argument in zip(self._inputs, arguments, strict=True):
            own.copy_(argument)
        self._launch()
        return self._outputs

    def __deepcopy__(self, memo: dict[int, Any]) -> "Replayed":
        """The same function over copies of what it reads, not yet captured."""
        return Replayed(copy.deepcopy(self._function, memo))


def capture(
    call: Callable[[], tuple[Tensor, ...]],
) -> tuple[Callable[[], None], tuple[Tensor, ...]]:
    """Capture the kernels of a call; return what launches them and the tensors that they fill."""
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):  # sets cuBLAS up for this stream, outside the graph
        call()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=aside, capture_error_mode="thread_local"):
        outputs = call()
    return graph.replay, outputs
