"""The page behind a link to rate: one form, no script, readable on any telephone. Pure."""

from __future__ import annotations

from html import escape
from typing import Annotated
from urllib.parse import parse_qs

import msgspec
from msgspec import Meta

from channels.appeal_codec import Body, decode_json
from channels.clean import clean_line
from channels.ticket_codec import MAX_NOTE
from channels.views import Progress
from hotline.errors import InvalidInput
from hotline.terms import Rating, label

HEADERS = {
    "Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
                               "base-uri 'none'; frame-ancestors 'none'",
}
_STYLE = (
    "body{font:17px/1.6 sans-serif;max-width:32em;margin:1em auto;padding:0 1em}label{display:block;padding:.4em 0}"
    "button{font-size:1em;padding:.6em 2em}blockquote{margin:0;padding:.5em 1em;background:#f4f4f4}"
    "textarea{width:100%;font:inherit}"
)


class LinkRating(Body, frozen=True):
    """好差评 by a link: five levels, whether the matter is solved, and a word."""

    rating: Rating
    solved: bool | None = None
    note: Annotated[str, Meta(max_length=MAX_NOTE)] | None = None


_json = msgspec.json.Decoder(LinkRating)


def decode(body: bytes, *, form: bool) -> LinkRating:
    """Return what was sent, as JSON or as the page's form. Raises InvalidInput."""
    given = _of_form(body) if form else decode_json(_json, body)
    return msgspec.structs.replace(given, note=clean_line(given.note, limit=MAX_NOTE, field="note"))


def _of_form(body: bytes) -> LinkRating:
    try:
        fields = parse_qs(body.decode(), max_num_fields=10)
    except (ValueError, UnicodeDecodeError) as error:
        raise InvalidInput(f"the form cannot be read: {error}") from error
    one = {name: values[0] for name, values in fields.items()}
    solved = {"yes": True, "no": False}.get(one.get("solved", ""))
    try:
        return msgspec.convert(
            {"rating": one.get("rating"), "solved": solved, "note": one.get("note")}, LinkRating
        )
    except msgspec.ValidationError as error:
        raise InvalidInput(f"请选择满意程度: {error}") from error


def page(progress: Progress, *, action: str) -> str:
    """Return the form for a ticket; `action` is where it is sent."""
    levels = "".join(
        f'<label><input type="radio" name="rating" value="{level.value}" required> {label(level)}</label>'
        for level in Rating
    )
    reply = f"<blockquote>{escape(progress.public_reply)}</blockquote>" if progress.public_reply else ""
    return _document("评价办理结果", f"""
<p>工单 {escape(progress.number)} · {escape(progress.category)} · {escape(progress.department)}</p>{reply}
<form method="post" action="{escape(action)}"><fieldset><legend>您对办理结果</legend>{levels}</fieldset>
<fieldset><legend>问题解决了吗</legend>
<label><input type="radio" name="solved" value="yes"> 已解决</label>
<label><input type="radio" name="solved" value="no"> 未解决</label></fieldset>
<label>补充说明<textarea name="note" rows="3" maxlength="{MAX_NOTE}"></textarea></label>
<button>提交</button></form>""")


def thanks(progress: Progress) -> str:
    """Return the page after a rating."""
    return _document("感谢您的评价", f"<p>工单 {escape(progress.number)}:{escape(progress.status_label)}。</p>")


def sorry(detail: str) -> str:
    """Return the page for a rating that cannot be taken."""
    return _document("无法评价", f"<p>{escape(detail)}</p>")


def _document(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{_STYLE}</style><h1>{title}</h1>{body}</html>"
    )
