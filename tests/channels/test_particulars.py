"""What an appeal may tell beside its text, in each form."""

from __future__ import annotations

import json

from channels.appeal_codec import appeal_of, decode_appeal
from channels.form_codec import decode_fields
from channels.phone_codec import of_caller
from hotline.appeal import Appeal, Citizen, Place


def test_who_when_whom_and_which_grid_come_as_json_and_from_a_form() -> None:
    told = {"text": "噪声", "happened_at": "昨晚 十点", "about": "某酒吧", "company": "电子厂", "id_document": "E1234"}
    place = {"town": "南城", "grid": "南城03-12"}
    body, form = told | {"place": place}, [*told.items(), *place.items()]
    wanted = Appeal(text="噪声", happened_at="昨晚 十点", about="某酒吧", place=Place(**place),
                    citizen=Citizen(company="电子厂", id_document="E1234"))
    assert appeal_of(decode_appeal(json.dumps(body).encode())) == wanted
    assert appeal_of(decode_fields(form)[0]) == wanted
    assert of_caller(wanted, "13800138000").citizen.id_document == "E1234", "also where an agent types it in a call"
