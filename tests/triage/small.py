"""A small made-up corpus for the tests of training."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path

MATTERS = {
    ("03", "路灯"): ("路灯不亮", "灯杆歪了", "巷子没灯", "晚上漆黑"),
    ("09", "供水"): ("停水两天", "水压很低", "水管爆了", "自来水发黄"),
    ("01", "欠薪"): ("工资没发", "拖欠薪水", "老板跑路", "加班费不给"),
}
TAILS = ("请处理", "多久能好", "住户很急", "已经一周", "没人管", "想问找谁", "麻烦看看", "又这样了")
ALARMS = (("着火了快来人", ["119"]), ("有人拿刀砍人", ["110"]), ("我爸晕倒叫不醒", ["120"]), ("路口车撞人了", ["122"]))


def write_corpus(folder: Path, tails: Sequence[str] = TAILS) -> None:
    """Write 20 labelled texts for each tail to `folder`."""
    lines: list[dict[str, object]] = []
    for ((l1, l2), heads), kind in zip(MATTERS.items(), ("complaint", "assistance", "report"), strict=True):
        for head, tail in itertools.product(heads, tails):
            lines.append({"text": f"{head}，{tail}", "l1": l1, "l2": l2, "kind": kind, "verdict": "non_emergency"})
    for (head, services), tail in itertools.product(ALARMS, tails):
        common = {"l1": "05", "l2": "治安线索", "kind": "assistance"}
        lines.append({"text": f"{head}！{tail}", **common, "verdict": "emergency", "services": services})
        lines.append({"text": f"怕{head}，只是问问，{tail}", **common, "verdict": "unclear", "services": services})
    (folder / "all.jsonl").write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), "utf-8")
