"""Adam (Kingma and Ba 2015, arXiv 1412.6980): torch's function, with the state that it needs.

torch's class has the same, but to make one imports torch's compiler, which takes as long as torch
itself and does nothing here.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim.adam import adam

MOMENTS = ("exp_avg", "exp_avg_sq")


class Adam:
    """Takes steps along the tensors' `grad`.

    Args:
        tensors: what is optimised, all of one device and type.
        lr: learning rate; may be set between steps.
        eps: added to the root of the second moment.
    """

    BETAS = 0.9, 0.999

    def __init__(self, tensors: Iterable[Tensor], lr: float, eps: float = 1e-8):
        self.tensors, self.lr, self.eps = list(tensors), lr, eps
        zeros = [{name: torch.zeros_like(t) for name in MOMENTS} for t in self.tensors]
        steps = [torch.zeros((), dtype=torch.float32, device=t.device) for t in self.tensors]
        self.state = [{"step": n, **moments} for n, moments in zip(steps, zeros, strict=True)]

    @torch.no_grad()
    def step(self) -> None:
        """Take one step."""
        steps, first, second = ([own[name] for own in self.state] for name in ("step", *MOMENTS))
        gradients = [tensor.grad for tensor in self.tensors if tensor.grad is not None]
        adam(
            self.tensors,
            gradients,
            first,
            second,
            [],
            steps,
            fused=True,
            amsgrad=False,
            beta1=self.BETAS[0],
            beta2=self.BETAS[1],
            lr=self.lr,
            weight_decay=0.0,
            eps=self.eps,
            maximize=False,
        )

    def state_dict(self) -> dict[str, Any]:
        """The learning rate and the state, laid out as torch.optim does."""
        return {"state": dict(enumerate(self.state)), "param_groups": [{"lr": self.lr}]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave, or torch.optim.Adam's, which is empty before a step."""
        self.lr = state["param_groups"][0]["lr"]
        for row, own in enumerate(self.state):
            saved = state["state"].get(row, {})
            for name, value in own.items():
                value.copy_(saved.get(name, torch.zeros_like(value)))
