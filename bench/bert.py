"""A BERT-base of random weights – 12 layers, 768 wide, 8-bit – in onnxruntime on one core: what such a model costs."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from transformers import BertConfig, BertModel


class _Named(torch.nn.Module):
    """Tracing passes inputs in order; this model wants them by name."""

    def __init__(self, model: BertModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        last: torch.Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return last


def random_bert() -> Callable[[Sequence[str]], object]:
    """Return what runs the network on as many tokens as a text has characters, and two; one text after the other."""
    config = BertConfig(vocab_size=21128, attn_implementation="eager")
    model = _Named(BertModel(config, add_pooling_layer=False)).eval()
    ids = torch.ones((1, 8), dtype=torch.int64)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        full, small = Path(folder, "full.onnx"), Path(folder, "small.onnx")
        names = ["input_ids", "attention_mask"]
        torch.onnx.export(
            model,
            (ids, ids),
            str(full),
            input_names=names,
            output_names=["last"],
            opset_version=17,
            dynamo=False,
            dynamic_axes={name: {0: "texts", 1: "tokens"} for name in names},
        )
        quantize_dynamic(full, small, weight_type=QuantType.QInt8)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(small.read_bytes(), options)

    def judge(texts: Sequence[str]) -> object:
        found = []
        for text in texts:
            tokens = np.array([[101, *(1000 + ord(one) % 20000 for one in text), 102]], dtype=np.int64)
            found.append(session.run(["last"], {"input_ids": tokens, "attention_mask": np.ones_like(tokens)}))
        return found

    return judge
