"""Decoder models in plain PyTorch: Qwen3 and Qwen2, with the parameter names of Hugging Face transformers.

Shapes: B sequences, T new tokens, S cached and new tokens, H heads, D the size of one head.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

Cache = list[tuple[Tensor, Tensor]]
"""Per layer keys (after RoPE) and values, each [B, KV heads, S, D]."""


@dataclass(frozen=True)
class DecoderConfig:
    """What a `config.json` says, as far as it matters here."""

    family: str
    """`qwen3` (norms on queries and keys) or `qwen2` (biases on queries, keys and values)."""
    vocabulary: int
    hidden: int
    intermediate: int
    layers: int
    heads: int = 4
    kv_heads: int = 2
    head_dim: int = 32
    rope_theta: float = 10_000.0
    epsilon: float = 1e-6
    context: int = 512

    def to_json(self, end: int, pad: int, dtype: str) -> dict[str, Any]:
        """The `config.json` of a checkpoint."""
        return {
            "architectures": [self.family.capitalize() + "ForCausalLM"],
            "model_type": self.family,
            "attention_dropout": 0.0,
            "bos_token_id": None,
            "eos_token_id": end,
            "pad_token_id": pad,
            **({"attention_bias": False, "head_dim": self.head_dim} if self.family == "qwen3" else {}),
            "hidden_act": "silu",
            "hidden_size": self.hidden,
            "initializer_range": 0.02,
            "intermediate_size": self.intermediate,
            "max_position_embeddings": self.context,
            "num_attention_heads": self.heads,
            "num_hidden_layers": self.layers,
            "num_key_value_heads": self.kv_heads,
            "rms_norm_eps": self.epsilon,
            "rope_scaling": None,
            "rope_theta": self.rope_theta,
            "tie_word_embeddings": True,
            "torch_dtype": dtype,
            "use_cache": True,
            "use_sliding_window": False,
            "vocab_size": self.vocabulary,
        }

    @staticmethod
    def from_json(config: dict[str, Any]) -> DecoderConfig:
        """Reads what `to_json` wrote."""
        return DecoderConfig(
            family=config["model_type"],
            vocabulary=config["vocab_size"],
            hidden=config["hidden_size"],
            intermediate=config["intermediate_size"],
            layers=config["num_hidden_layers"],
            heads=config["num_attention_heads"],
            kv_heads=config["num_key_value_heads"],
            head_dim=config.get("head_dim", config["hidden_size"] // config["num_attention_heads"]),
            rope_theta=config["rope_theta"],
            epsilon=config["rms_norm_eps"],
            context=config["max_position_embeddings"],
        )


class RMSNorm(nn.Module):
    """`x / rms(x) * weight` over the last dimension."""

    def __init__(self, size: int, epsilon: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        return functional.rms_norm(x, self.weight.shape, self.weight, self.epsilon)


def rotary(positions: Tensor, head_dim: int, theta: float) -> tuple[Tensor, Tensor]:
    """Cosines and sines [B, 1, T, D] of RoPE; the halves of a head are the two coordinates."""
    frequencies = theta ** (-torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim)
    angles = positions[:, None, :, None].float() * frequencies
    angles = torch.cat((angles, angles), dim=-1)
    return angles.cos(), angles.sin()


def rotate(x: Tensor, rope: tuple[Tensor, Tensor]) -> Tensor:
    """Applies RoPE to [B, H, T, D]."""
    low, high = x.chunk(2, dim=-1)
    return x * rope[0] + torch.cat((-high, low), dim=-1) * rope[1]


class Attention(nn.Module):
    """Grouped-query attention on a cache."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.config = config
        bias = config.family == "qwen2"
        width, kv_width = config.heads * config.head_dim, config.kv_heads * config.head_dim
        self.q_proj = nn.Linear(config.hidden, width, bias=bias)
        self.k_proj = nn.Linear(config.hidden, kv_width, bias=bias)
        self.v_proj = nn.Linear(config.hidden, kv_width, bias=bias)
        self.o_proj = nn.Linear(width, config.hidden, bias=False)
        if config.family == "qwen3":
            self.q_norm = RMSNorm(config.head_dim, config.epsilon)
            self.k_norm = RMSNorm(config.head_dim, config.epsilon)

    def forward(
        self, x: Tensor, rope: tuple[Tensor, Tensor], mask: Tensor, past: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        batch, tokens, _ = x.shape
        heads = lambda y: y.view(batch, tokens, -1, self.config.head_dim)
        query, key, value = heads(self.q_proj(x)), heads(self.k_proj(x)), heads(self.v_proj(x)).transpose(1, 2)
        if self.config.family == "qwen3":
            query, key = self.q_norm(query), self.k_norm(key)
        query, key = rotate(query.transpose(1, 2), rope), rotate(key.transpose(1, 2), rope)
        if past is not None:
            key, value = torch.cat((past[0], key), dim=2), torch.cat((past[1], value), dim=2)
        groups = self.config.heads // self.config.kv_heads
        scores = query @ key.repeat_interleave(groups, dim=1).transpose(-1, -2) * self.config.head_dim**-0.5
        weights = (scores + mask).softmax(dim=-1)
        mixed = weights @ value.repeat_interleave(groups, dim=1)
        return self.o_proj(mixed.transpose(1, 2).reshape(batch, tokens, -1)), (key, value)


class FeedForward(nn.Module):
    """SwiGLU."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden, config.intermediate, bias=False)
        self.up_proj = nn.Linear(config.hidden, config.intermediate, bias=False)
        self.down_proj = nn.Linear(config.intermediate, config.hidden, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(functional.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    """Attention and feed-forward, each behind a norm and around a residual."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.input_layernorm = RMSNorm(config.hidden, config.epsilon)
        self.self_attn = Attention(config)
        self.post_attention_layernorm = RMSNorm(config.hidden, config.epsilon)
        self.mlp = FeedForward(config)

    def forward(
        self, x: Tensor, rope: tuple[Tensor, Tensor], mask: Tensor, past: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        mixed, cache = self.self_attn(self.input_layernorm(x), rope, mask, past)
        x = x + mixed
        return x + self.mlp(self.post_attention_layernorm(x)), cache


class _Stack(nn.Module):
    """What transformers keeps under the name `model`."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(config.vocabulary, config.hidden)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.norm = RMSNorm(config.hidden, config.epsilon)


class Decoder(nn.Module):
    """A decoder-only language model whose head is its embedding table."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.config = config
        self.model = _Stack(config)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                spread = 0.02 if "embed" in name else 0.6 * parameter.shape[1] ** -0.5
                if name.endswith(("o_proj.weight", "down_proj.weight")):
                    spread *= (2 * config.layers) ** -0.5
                nn.init.normal_(parameter, std=spread)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)

    def forward(
        self,
        ids: Tensor,
        past: Cache | None = None,
        positions: Tensor | None = None,
        mask: Tensor | None = None,
        depth: int | None = None,
    ) -> tuple[Tensor, Cache]:
        """Hidden states [B, T, hidden] after the last norm, and the cache with the new tokens in it.

        `positions` [B, T] go on from the cache by default; `mask` [B, 1, T, S] is added to the scores and is causal
        by default; `depth` layers are run, all by default.
        """
        tokens = ids.shape[1]
        length = past[0][0].shape[2] if past else 0
        if positions is None:
            positions = torch.arange(length, length + tokens).expand(ids.shape)
        if mask is None:
            mask = causal_mask(tokens, length)
        rope = rotary(positions, self.config.head_dim, self.config.rope_theta)
        x, cache = self.model.embed_tokens(ids), []
        for index, layer in enumerate(self.model.layers[:depth]):
            x, rows = layer(x, rope, mask, past[index] if past else None)
            cache.append(rows)
        return self.model.norm(x), cache

    def logits(self, hidden: Tensor) -> Tensor:
        """Logits of every vocabulary row."""
        return hidden @ self.model.embed_tokens.weight.T


def causal_mask(tokens: int, length: int = 0) -> Tensor:
    """[1, 1, T, S]: new token t sees `length` cached tokens and the new ones up to itself."""
    allowed = torch.arange(length + tokens) <= torch.arange(length, length + tokens)[:, None]
    return torch.zeros(tokens, length + tokens).masked_fill(~allowed, float("-inf"))[None, None]
