"""From a trained network to the files that `triage.encoder` runs: ONNX with 8-bit weights, tokenizer, card."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import Any

import msgspec
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from tokenizers import Tokenizer

from triage.card import EncoderCard
from triage.encoder import CARD, HEADS, NETWORK, TOKENIZER
from triage.encoder_fit import Network

_OPSET = 17
_INPUTS = ("input_ids", "attention_mask")


class _Answers(torch.nn.Module):
    """The network without the output that only training needs."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: Any, attention_mask: Any) -> Any:
        return self.network(input_ids, attention_mask)[:3]


def export(network: Network, tokenizer: Tokenizer, out: Path) -> None:
    """Write network and tokenizer to `out`."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        full = Path(folder, "full.onnx")
        _trace(network, full)
        quantize_dynamic(full, out / NETWORK, weight_type=QuantType.QInt8, extra_options={"MatMulConstBOnly": True})
    tokenizer.no_truncation()
    tokenizer.no_padding()
    (out / TOKENIZER).write_text(tokenizer.to_str(), "utf-8")


def _trace(network: Network, to: Path) -> None:
    ids = torch.ones((2, 8), dtype=torch.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing warns of every shape it takes for fixed; the test runs other shapes
        torch.onnx.export(
            _Answers(network).eval(),
            (ids, torch.ones_like(ids)),
            str(to),
            input_names=list(_INPUTS),
            output_names=list(HEADS),
            dynamic_axes={name: {0: "texts", 1: "tokens"} for name in _INPUTS},
            opset_version=_OPSET,
            dynamo=False,
        )


def write_card(card: EncoderCard, out: Path) -> None:
    """Write the card to `out`."""
    (out / CARD).write_bytes(msgspec.json.format(msgspec.json.encode(card), indent=1))
