"""The linear model at run time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.linear import LinearModel, load_linear


@pytest.fixture(scope="module")
def model() -> LinearModel:
    return load_linear(Path("models"))


@given(texts=st.lists(st.text("楼下着火了快来人路灯不亮 ,。a1😭", max_size=30), max_size=5))
def test_danger_alone_is_told_as_among_all_heads(model: LinearModel, texts: list[str]) -> None:
    whole, (verdict, services) = model(texts), model.danger(texts)
    assert np.allclose(verdict, whole.verdict, atol=1e-5)
    assert np.allclose(services, whole.services, atol=1e-5)
