"""Writes small files as torch.save writes them, and expected.json: what torch.load(weights_only=True) makes of each.

    pip install torch
    python make.py
"""

import collections
import json
import math

import torch

torch.manual_seed(1)
weight = torch.arange(6, dtype=torch.float32).reshape(2, 3)


class Subclass(torch.Tensor):
    pass


def marked(tensor):
    """A tensor with an attribute, which is pickled with its class."""
    tensor.note = "kept"
    return tensor


def parameter_with_state():
    parameter = torch.nn.Parameter(weight.clone())
    parameter.note = "kept"
    return parameter


def module_state():
    module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    return module.state_dict()


FILES = {
    "float8": {"w": weight, "scale": torch.tensor([1.5, -2.0]).to(torch.float8_e4m3fn)},
    "unsigned": {
        "w": weight,
        "u16": torch.tensor([1, 65535], dtype=torch.uint16),
        "u32": torch.tensor([1, 4294967295], dtype=torch.uint32),
        "u64": torch.tensor([1, 2], dtype=torch.uint64),
    },
    "parameter": {"w": torch.nn.Parameter(weight), "f": torch.nn.Parameter(weight, requires_grad=False)},
    "parameter_with_state": {"w": parameter_with_state()},
    "attributes": {"w": marked(weight.clone())},
    "module": module_state(),
    "extra_state": {"w": weight, "x": {"step": 3}, "n": None, "l": [1, 2], "b": b"bytes", "s": {1}, "c": 1 + 2j, "big": 2**70},
    "ordered": collections.OrderedDict([("w", weight), ("size", weight.shape), ("kind", torch.float16)]),
    "views": {"t": weight.t(), "row": weight[1], "every": weight.flatten()[::2], "same": weight},
    "unread": {
        "w": weight,
        "complex": torch.tensor([1 + 2j]),
        "sparse": weight.to_sparse(),
        "quantized": torch.quantize_per_tensor(weight, 0.1, 10, torch.quint8),
        "meta": torch.empty(2, device="meta"),
    },
    "types": {
        name: torch.tensor([1, 0, 1]).to(getattr(torch, name))
        for name in "float64 float32 float16 bfloat16 int64 int32 int16 int8 uint8 bool".split()
    },
    "unicode": {"K": torch.tensor([1.0]), "\u212a": torch.tensor([2.0])},
}


def described(value):
    if not isinstance(value, torch.Tensor) or value.is_sparse or value.is_quantized or value.is_meta or value.is_complex():
        return {}
    if "float8" in str(value.dtype):
        return {}
    values = value.detach().to(torch.float64).flatten().tolist()
    assert all(math.isfinite(v) for v in values)
    return {"shape": list(value.shape), "type": str(value.dtype).removeprefix("torch."), "values": values}


def main():
    expected = {}
    for name, content in FILES.items():
        for legacy in [False, True]:
            file = f"{name}_legacy.pt" if legacy else f"{name}.pt"
            try:
                torch.save(content, file, _use_new_zipfile_serialization=not legacy)
                loaded = torch.load(file, weights_only=True)
            except Exception as error:
                print(f"{file}: {type(error).__name__}: {error}"[:150])
                continue
            expected[file] = {key: described(value) for key, value in loaded.items()}
    with open("expected.json", "w") as output:
        json.dump(expected, output, indent=1)


main()
