"""Personal data in texts for the public: what is certainly some, and what is for the centre to judge."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.personal import personal_data


@pytest.mark.parametrize(("text", "certain", "doubtful"), [
    ("路灯已修好,详询0769-22830000或12345", 0, 0),
    ("已联系王小明", 1, 0), ("请致电13812345678", 1, 0), ("请致电138-1234-5678", 1, 0),
    ("身份证44190019900101123X", 1, 0),
    ("身份证440106700101123", 1, 0), ("卡号4111 1111 1111 1112", 0, 0), ("卡号4111 1111 1111 1111", 1, 0),
    ("已致电0769-22223333告知", 1, 0), ("车牌粤S·12345已拖离", 0, 1), ("新能源粤SD12345", 0, 1),
    ("邮箱a.b@example.com", 0, 1),
    ("张先生反映", 0, 1), ("鸿福小区3栋2单元501房", 0, 1), ("工单DG202611213000042701", 0, 0),
    ("投入资金1234567890123456元", 0, 0), ("根据第20261121号文", 0, 0), ("", 0, 0),
])
def test_personal_data_is_found(text: str, certain: int, doubtful: int) -> None:
    found = personal_data(text, "王小明", phone="+8676922223333")
    assert (len(found.certain), len(found.doubtful)) == (certain, doubtful), found
    assert not any(secret in "".join(found.certain) for secret in ("13812345678", "小明", "4111 1111 1111 1111"))


@given(st.text(max_size=60), st.text(max_size=6))
def test_no_text_breaks_the_search(text: str, name: str) -> None:
    personal_data(text, name)
