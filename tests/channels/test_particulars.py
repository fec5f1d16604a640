"""What an appeal may tell beside its text, in each form."""

from __future__ import annotations

import json

from channels.appeal_codec import appeal_of, decode_appeal
from channels.form_codec import decode_fields
from hotline.appeal import Appeal, Place


def test_when_whom_and_which_grid_come_as_json_and_from_a_form() -> None:
    told = {"text": "噪声", "happened_at": " 昨晚 十点 ", "about": "某酒吧"}
    place = {"town": "南城", "grid": "南城03-12"}
    body, form = told | {"place": place}, [*told.items(), *place.items()]
    wanted = Appeal(text="噪声", happened_at="昨晚 十点", about="某酒吧", place=Place(**place))
    assert appeal_of(decode_appeal(json.dumps(body).encode())) == wanted
    assert appeal_of(decode_fields(form)[0]) == wanted
