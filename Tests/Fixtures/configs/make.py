"""Writes cases.json: configurations of all kinds, and what transformers makes of them.

    pip install torch transformers
    python make.py COUNT [SEED] > cases.json

Beside the cases written here, COUNT random ones. For each: the numbers of the model's shape, and for calls that end at some
rows the rotary embedding's inverse frequencies and what cosines and sines are multiplied by; or "refused", where transformers
refuses the configuration, or can't compute with it.
"""

import json
import logging
import random
import sys

import torch
from transformers import AutoConfig, AutoModelForCausalLM

logging.disable(logging.CRITICAL)

KINDS = ["llama3", "linear", "dynamic", "yarn", "longrope", "proportional"]


def fixed():
    yarn = {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}
    llama3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
    linear = {"rope_type": "linear", "factor": 2.5}
    for model in ["llama", "qwen2", "qwen3"]:
        small = {
            "model_type": model,
            "hidden_size": 64,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "intermediate_size": 96,
            "num_hidden_layers": 2,
            "vocab_size": 300,
        }
        # What is left out.
        yield {"model_type": model}
        yield small
        for key in small:
            if key not in ("model_type", "num_attention_heads", "num_key_value_heads"):
                yield {**{k: v for k, v in small.items() if k != key}, "head_dim": 16}
        yield {**small, "num_key_value_heads": None}
        yield {**small, "head_dim": 32, "rope_theta": 1000000}
        yield {**small, "eos_token_id": None, "rms_norm_eps": 1e-5, "tie_word_embeddings": True}
        yield {**small, "eos_token_id": [3, 4], "max_position_embeddings": 77, "hidden_act": "swish"}
        # Windows that no layer has.
        yield {**small, "use_sliding_window": True, "max_window_layers": 2}
        yield {**small, "use_sliding_window": True, "sliding_window": None, "max_window_layers": 0}
        yield {**small, "use_sliding_window": True, "layer_types": ["full_attention", "full_attention"]}
        # Where the fields of rotations stand.
        for theta in [{}, {"rope_theta": 5000.0}]:
            base = {**small, **theta, "max_position_embeddings": 64}
            yield {**base, "rope_scaling": linear}
            yield {**base, "rope_scaling": {**linear, "rope_theta": 777.0}}
            yield {**base, "rope_parameters": linear}
            yield {**base, "rope_parameters": {**linear, "rope_theta": 777.0}}
            yield {**base, "rope_parameters": {"rope_type": "default", "rope_theta": 777.0}, "rope_scaling": llama3}
            yield {**base, "rope_parameters": {**linear, "rope_theta": 777.0}, "rope_scaling": {"rope_type": "default"}}
            yield {**base, "rope_parameters": {**linear, "rope_theta": 777.0}, "rope_scaling": {}}
            yield {**base, "rope_parameters": {**linear, "rope_theta": 777.0}, "rope_scaling": None}
            yield {**base, "rope_parameters": {}, "rope_scaling": yarn}
            yield {**base, "rope_scaling": {"type": "linear", "rope_type": "dynamic", "factor": 3.0}}
            yield {**base, "rope_scaling": llama3, "original_max_position_embeddings": 16}
            yield {**base, "rope_scaling": {**yarn, "factor": None}}
            yield {**base, "rope_scaling": {**yarn, "mscale": 0.7, "mscale_all_dim": 1.3}}
            yield {**base, "rope_scaling": {**yarn, "mscale": 0.7}}
            yield {**base, "rope_scaling": {**yarn, "attention_factor": 1.0, "mscale": 0.7, "mscale_all_dim": 1.3}}
            yield {**base, "rope_scaling": {**yarn, "beta_fast": 16, "beta_slow": 2, "truncate": False}}
            yield {**base, "rope_scaling": {**yarn, "beta_fast": 0, "beta_slow": 0, "truncate": None}}
            yield {**base, "rope_scaling": {"rope_type": "default"}, "partial_rotary_factor": 0.5}
            yield {**base, "rope_scaling": linear, "partial_rotary_factor": 0.5}
        # Published ones.
        yield {**small, "rope_theta": 1000000.0, "max_position_embeddings": 32768, "rope_scaling": yarn, "head_dim": 128}
        yield {
            **small,
            "head_dim": 64,
            "rope_theta": 500000.0,
            "max_position_embeddings": 131072,
            "rope_scaling": {**llama3, "factor": 32.0, "original_max_position_embeddings": 8192},
        }


def scaling(rng, pairs):
    """A random rope_scaling that transformers takes."""
    kind = rng.choice(KINDS)
    found = {rng.choice(["type", "rope_type"]): kind}
    if kind in ("linear", "dynamic", "yarn", "llama3") or rng.random() < 0.5:
        found["factor"] = rng.choice([1, 1.0, 2, 2.5, 4.0, 8.0, 40, round(rng.uniform(1, 60), 3)])
    if kind in ("llama3", "yarn", "longrope") and rng.random() < 0.7:
        found["original_max_position_embeddings"] = rng.choice([16, 64, 100, 4096, 8192, 32768])
    if kind == "llama3":
        found["low_freq_factor"] = rng.choice([1, 1.0, 0.5, round(rng.uniform(0.1, 4), 2)])
        found["high_freq_factor"] = rng.choice([4, 4.0, 8, round(rng.uniform(0.1, 9), 2)])
    if kind == "yarn":
        for key, values in {
            "attention_factor": [1.0, 0.5, 1.3, None],
            "mscale": [1.0, 0.707, 0, 2],
            "mscale_all_dim": [1.0, 0.707, 0, 2],
            "beta_fast": [32, 16.5, 0, None],
            "beta_slow": [1, 2.5, 0, None],
            "truncate": [True, False, None],
        }.items():
            if rng.random() < 0.3:
                found[key] = rng.choice(values)
    if kind == "longrope":
        for key in ["short_factor", "long_factor"]:
            found[key] = [round(rng.uniform(1, 40), 3) for _ in range(pairs)]
        if rng.random() < 0.3:
            found["attention_factor"] = round(rng.uniform(0.5, 2), 2)
    if kind == "proportional" and rng.random() < 0.7:
        found["partial_rotary_factor"] = rng.choice([0.25, 0.3, 0.5, 1.0])
    if rng.random() < 0.3:
        found["rope_theta"] = rng.choice([500.0, 10000, 1000000.0])
    return found


def randomly(rng):
    heads = rng.choice([1, 2, 4])
    dim = rng.choice([8, 16, 64, 80, 128])
    config = {
        "model_type": rng.choice(["llama", "qwen2", "qwen3"]),
        "hidden_size": heads * dim,
        "num_attention_heads": heads,
        "num_key_value_heads": 1,
        "head_dim": dim,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "vocab_size": 64,
        "max_position_embeddings": rng.choice([16, 40, 512, 2048, 32768, 131072]),
    }
    if rng.random() < 0.7:
        config["rope_theta"] = rng.choice([10000.0, 500000.0, 1000000, round(rng.uniform(100, 1e7), 2)])
    if rng.random() < 0.1:
        config["original_max_position_embeddings"] = rng.choice([16, 128])
    names = ["rope_scaling"] if rng.random() < 0.6 else ["rope_parameters"]
    if rng.random() < 0.15:
        names = ["rope_scaling", "rope_parameters"]
    for name in names:
        config[name] = scaling(rng, dim // 2)
    return config


def expected(values):
    """What transformers makes of a config.json."""
    kwargs = json.loads(json.dumps(values))
    try:
        config = AutoConfig.for_model(kwargs.pop("model_type"), **kwargs)
        found = {
            "shape": [
                config.hidden_size,
                config.intermediate_size,
                config.num_hidden_layers,
                config.num_attention_heads,
                config.num_key_value_heads,
                getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads,
                config.vocab_size,
                config.max_position_embeddings,
            ],
            "epsilon": config.rms_norm_eps,
            "tied": config.tie_word_embeddings,
            "ends": [config.eos_token_id] if isinstance(config.eos_token_id, int) else config.eos_token_id or [],
            "calls": [],
        }
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(config)
        kind = type(model.model.rotary_emb)
        # A module keeps the longest call it saw, so each gets a new one; a call's length is its last position and one.
        for end in ends(config):
            rotary = kind(config)
            ids = torch.tensor([[end - 2, end - 1]])
            cosines, _ = rotary(torch.zeros(1, 2, 8), ids)
            if cosines.shape[-1] != found["shape"][5]:
                return {"refused": "columns that are not rotated"}
            found["calls"].append(
                {
                    "end": end,
                    "factor": float(rotary.attention_scaling),
                    "frequencies": [float(f"{f:.9g}") for f in rotary.inv_freq.tolist()],
                }
            )
        return found
    except Exception as error:  # Anything at all may go wrong in here.
        return {"refused": f"{type(error).__name__}: {error}"[:100]}


def ends(config):
    longest = config.max_position_embeddings
    kind = config.rope_parameters["rope_type"]
    if kind == "dynamic":
        return [longest // 2, longest, longest + 1, 3 * longest]
    if kind == "longrope":
        original = config.rope_parameters["original_max_position_embeddings"]
        return [original, original + 1]
    return [longest]


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    rng = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    cases = list(fixed()) + [randomly(rng) for _ in range(count)]
    lines = [json.dumps({"config": config, **expected(config)}) for config in cases]
    print("[\n" + ",\n".join(lines) + "\n]")


main()
