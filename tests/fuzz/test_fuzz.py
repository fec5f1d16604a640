"""A short run of `make fuzz`: every codec, the whole OpenAPI document, the console's protocol."""

from __future__ import annotations

import warnings

import pytest
from hypothesis.errors import HypothesisWarning

from tests.fuzz.codecs import TARGETS, fuzz_codec
from tests.fuzz.console import fuzz_console
from tests.fuzz.http import fuzz_http


@pytest.mark.parametrize("name", TARGETS)
def test_codecs_decode_or_refuse(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=HypothesisWarning)
        fuzz_codec(name, cases=500)


async def test_http_answers_as_the_document_says() -> None:
    found = await fuzz_http(cases=700, quiet=True)
    assert found.wrong == {}
    assert found.cases > 300
    assert {"200", "201", "400", "401", "403", "404"} <= set(found.statuses)


async def test_the_console_answers_every_frame() -> None:
    found = await fuzz_console(cases=400, quiet=True)
    assert found.wrong == {}
    assert found.answered > 50
