"""The fuser: one C2CProjector per receiver layer, with the parameter names of the published checkpoints.

What it computes is described in the paper (arXiv 2510.03215) and pinned by its reference implementation
(github thu-nics/C2C).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models import Cache, DecoderConfig


@dataclass(frozen=True)
class ProjectorShape:
    """Sizes of a C2CProjector, named as in `projector_{i}.json`."""

    source_dim: int
    target_dim: int
    source_num_heads: int
    target_num_heads: int
    hidden_dim: int = 64
    intermediate_dim: int = 64
    num_layers: int = 3
    dropout: float = 0.1
    initial_temperature: float = 1.0
    final_temperature: float = 0.001


class Block(nn.Module):
    """`x + w2(gelu(w1(RMSNorm(x))))`"""

    def __init__(self, size: int, width: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.RMSNorm(size, eps=1e-6)
        self.w1 = nn.Linear(size, width, bias=False)
        self.w2 = nn.Linear(width, size, bias=False)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.w2(self.dropout(nn.functional.gelu(self.w1(self.norm(x)))))


class Blocks(nn.Module):
    """Some blocks, one after the other."""

    def __init__(self, count: int, size: int, width: int, dropout: float) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(size, width, dropout) for _ in range(count))

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        return x


class Projector(nn.Module):
    """Projects one layer's keys and values; the two have separate weights of the same form."""

    def __init__(self, shape: ProjectorShape) -> None:
        super().__init__()
        self.shape = shape
        source = shape.source_num_heads * shape.source_dim
        target = shape.target_num_heads * shape.target_dim
        size, width, dropout = shape.hidden_dim, shape.intermediate_dim, shape.dropout
        for side in ("key", "value"):
            self.register_parameter(f"{side}_gate_logit", nn.Parameter(torch.zeros(())))
            parts = {
                "in": nn.Linear(source + target, size),
                "mlp1": Blocks(1, size, width, dropout),
                "scalar_mlp2": Blocks(1, size, size, dropout),
                "scalar_head": nn.Linear(size, shape.target_num_heads),
                "proj_mlp2": Blocks(shape.num_layers - 2, size, width, dropout),
                "proj_out": nn.Linear(size, target),
            }
            for name, part in parts.items():
                self.add_module(f"{side}_{name}", part)
        self.register_buffer("gate_temperature", torch.tensor(shape.initial_temperature))

    def project(self, side: str, sharer: Tensor, receiver: Tensor, noisy: bool) -> Tensor:
        """The receiver's rows [B, Ht, N, Dt] with what the sharer's [B, Hs, N, Ds] say added to them.

        While `noisy` the gate is a Gumbel-sigmoid sample at the current temperature; otherwise it is open or closed.
        """
        part = lambda name: getattr(self, f"{side}_{name}")
        flat = torch.cat((sharer.transpose(1, 2).flatten(2), receiver.transpose(1, 2).flatten(2)), dim=-1)
        hidden = part("mlp1")(part("in")(flat))
        projected = part("proj_out")(part("proj_mlp2")(hidden))
        projected = projected.unflatten(-1, (self.shape.target_num_heads, -1)).transpose(1, 2)
        scale = part("scalar_head")(part("scalar_mlp2")(hidden)).sigmoid().transpose(1, 2)[..., None]
        logit = part("gate_logit")
        if noisy:
            uniform = torch.rand(()).clamp(1e-6, 1 - 1e-6)
            gate = ((logit + uniform.log() - (-uniform).log1p()) / self.gate_temperature).sigmoid()
        else:
            gate = (logit > 0).float()
        return receiver + gate * scale * projected


class Fuser(nn.Module):
    """The projectors of one pair of sharer and receiver; layers are aligned from the last one down."""

    def __init__(self, sharer: DecoderConfig, receiver: DecoderConfig, hidden: int) -> None:
        super().__init__()
        self.shape = ProjectorShape(
            sharer.head_dim, receiver.head_dim, sharer.kv_heads, receiver.kv_heads, hidden, hidden
        )
        #: By receiver layer: the sharer's layer that is read (`last_aligned`).
        self.mapping = [
            min(max(layer + sharer.layers - receiver.layers, 0), sharer.layers - 1)
            for layer in range(receiver.layers)
        ]
        self.projectors = nn.ModuleList(Projector(self.shape) for _ in self.mapping)

    def forward(self, sharer: Cache, receiver: Cache, noisy: bool = False) -> Cache:
        """The receiver's cache, fused."""
        fused = []
        for projector, source, (keys, values) in zip(self.projectors, self.mapping, receiver):
            sharer_keys, sharer_values = sharer[source]
            fused.append((
                projector.project("key", sharer_keys, keys, noisy),
                projector.project("value", sharer_values, values, noisy),
            ))
        return fused
