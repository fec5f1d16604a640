"""`check` and `serve` name variables that nobody reads."""

from __future__ import annotations

import pytest

from hotline.config import misspelt


@pytest.mark.parametrize(("name", "told"), [
    ("HOTLINE_HTTP_PROT", "HOTLINE_HTTP_PROT is no setting and is not read: did you mean HOTLINE_HTTP_PORT?"),
    ("HOTLINE_POLICEURL", "HOTLINE_POLICEURL is no setting and is not read: did you mean HOTLINE_POLICE_URL?"),
    ("HOTLINE_ZZZZZZ", "HOTLINE_ZZZZZZ is no setting and is not read"),
])
def test_a_variable_that_is_no_setting_is_named(name: str, told: str) -> None:
    assert misspelt([name, "PATH", "HOTLINE_CONFIG", "HOTLINE_DSN", "hotline_dsn"]) == [told]


def test_settings_and_other_variables_are_fine() -> None:
    assert misspelt(["HOTLINE_HTTP_PORT", "HOTLINE_CONFIG", "HOME"]) == []
