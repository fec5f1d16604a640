"""An extractive title of at most 25 characters: the clause that says most, in the citizen's own words."""

from __future__ import annotations

import re

LONGEST = 25
_CLAUSE = re.compile(r"[^,，.。;；!！?？\n…]+")
_EMPTY = re.compile(
    r"^(?:喂+|你好|您好|早上好|晚上好|请问(?:一下)?|那个|呃|嗯|啊|是这样的?|我想问(?:一下|下)?"
    r"|我要(?:投诉|举报|反映)(?:一下)?|投诉|举报|尊敬的[^,，:：]{0,12}|各位领导|领导(?:好|您好)?|市长(?:您好)?"
    r"|[^,，:：]{0,10}(?:同志|人民政府|平台|热线|负责人|领导)[:：])+[:：,， ]*"
)


def title_of(text: str) -> str:
    """Return a title: the first clause that says something, with the next one while both fit."""
    parts: list[str] = []
    for match in _CLAUSE.finditer(text[:400]):
        clause = _EMPTY.sub("", match.group().strip(" \t:：“”\"'"))
        if not parts and len(clause) < 4:
            continue
        if parts and len("，".join((*parts, clause))) > LONGEST:
            break
        if clause:
            parts.append(clause)
        if sum(map(len, parts)) >= 16:
            break
    return ("，".join(parts) or text.strip())[:LONGEST]
