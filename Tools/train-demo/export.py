"""Writes models and fusers in the layouts in which they are published."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer as Vocabulary
from torch import nn

from chat import END, PAD, write_tokenizer
from fuser import Fuser
from models import Decoder

DTYPE = torch.bfloat16
DTYPE_NAME = "bfloat16"


def write_json(path: Path, value: Any, indent: int | None = 2) -> None:
    """Writes JSON with a line break at its end."""
    path.write_text(json.dumps(value, indent=indent) + "\n")


def round_weights(module: nn.Module) -> None:
    """Rounds all parameters to the stored type, so that what is used from here on is what is stored.

    Gate logits stay in float32, as in the reference implementation.
    """
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if not name.endswith("gate_logit"):
                parameter.copy_(parameter.to(DTYPE).float())


def write_decoder(model: Decoder, vocabulary: Vocabulary, directory: Path) -> None:
    """A checkpoint directory as Hugging Face writes it. The head is tied, so it is not stored."""
    directory.mkdir(parents=True, exist_ok=True)
    end, pad = vocabulary.token_to_id(END), vocabulary.token_to_id(PAD)
    tensors = {name: tensor.to(DTYPE).contiguous() for name, tensor in model.state_dict().items()}
    save_file(tensors, directory / "model.safetensors", metadata={"format": "pt"})
    write_json(directory / "config.json", model.config.to_json(end, pad, DTYPE_NAME))
    write_json(directory / "generation_config.json", {"eos_token_id": end, "pad_token_id": pad})
    write_tokenizer(vocabulary, directory, model.config.context)


def write_fuser(fuser: Fuser, sharer: str, steps: int, directory: Path) -> None:
    """A fuser directory in the published layout."""
    final = directory / "final"
    final.mkdir(parents=True, exist_ok=True)
    shape = vars(fuser.shape) | {"anneal_steps": steps}
    sizes = ("source_dim", "target_dim", "source_num_heads", "target_num_heads")
    parameters = {key: value for key, value in shape.items() if key not in sizes}
    model = {
        "base_model": "receiver",
        "teacher_model": sharer,
        "is_do_alignment": False,
        "projector": {"type": "C2CProjector", "params": parameters},
        "mapping": "last_aligned",
    }
    write_json(directory / "config.json", {"model": model, "training": {"steps": steps}})
    mapping = {str(layer): [[source, layer]] for layer, source in enumerate(fuser.mapping)}
    write_json(final / "projector_config.json", {"0": {"1": mapping}}, indent=None)
    dtype = {"__type__": "torch.dtype", "value": DTYPE_NAME}
    for index, projector in enumerate(fuser.projectors):
        description = {"class": "C2CProjector", "init_args": shape | {"dtype": dtype}}
        write_json(final / f"projector_{index}.json", description)
        state = {
            name: tensor.clone() if "gate" in name else tensor.to(DTYPE)
            for name, tensor in projector.state_dict().items()
        }
        torch.save(state, final / f"projector_{index}.pt")
