"""Open311 GeoReport v2: forms → `Inbound`, lists and errors → JSON or XML. Pure.

Source: wiki.open311.org/GeoReport_v2. Extensions taken up: `page` and `page_size` of the list, `expected_datetime`.
Parameters that we do not know are ignored, as civic apps send those of other cities.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from channels.clean import MAX_TEXT, clean, clean_line, required_text
from channels.message import Inbound, Receipt
from channels.open311_place import TOWN, place_of
from channels.open311_wire import Row
from channels.phone_number import normalize_phone
from channels.views import PublicTicket, RequestFilter
from hotline.appeal import Appeal, Category, Citizen
from hotline.errors import InvalidInput, NotFound
from hotline.ids import TicketNumber
from hotline.terms import Channel

PAGE, MAX_PAGE, MAX_PAGES = 50, 100, 100
"""Rows of a page, at most, and pages: who wants more of the past narrows the dates. Each row is a history replayed."""
SPAN = timedelta(days=90)
"""How far back a list goes that names no `start_date`: the standard's own default."""
MOST_READ = 2 * MAX_PAGE * MAX_PAGES
"""Rows up to which a list may be read, of each of its services to the end of the page: twice what one of them has."""
OTHER = "其他"
NOTICE = "已受理。查询码:{code}。可凭工单号和查询码查询进度。"
Prove = Callable[[str], str]
"""A keyed hash, the same in every process."""
_TOKEN = 32
"""Characters of a token; its proof stands behind them."""


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of matter that can be reported: `code` four digits, `l1` first-level code, `group` its name."""

    code: str
    l1: str
    name: str
    group: str
    keywords: tuple[str, ...] = ()


class Jurisdiction(msgspec.Struct, frozen=True, kw_only=True):
    """The city: its id, its services by code, its towns (an attribute of every service)."""

    id: str
    services: Mapping[str, Service]
    towns: tuple[str, ...] = ()

    def service(self, code: str) -> Service:
        """Return a service; raises NotFound."""
        if code not in self.services:
            raise NotFound(f"service_code {code[:40]!r} is not known; see the service list")
        return self.services[code]

    def check(self, jurisdiction_id: str) -> None:
        """Raise NotFound for another city's id; none at all is fine, there is only one."""
        if jurisdiction_id and jurisdiction_id != self.id:
            raise NotFound(f"jurisdiction_id is not {self.id}")


def jurisdiction_of(id: str, categories: Iterable[tuple[str, str, str, str]], towns: Iterable[str]) -> Jurisdiction:
    """Return the city of its categories – (code, first-level code, its name, second-level name) each – and towns."""
    services = [Service(code=code, l1=l1, name=name, group=group) for code, l1, group, name in categories]
    return Jurisdiction(id=id, services={service.code: service for service in services}, towns=tuple(towns))


Form = Mapping[str, str]


def decode_request(form: Form, city: Jurisdiction) -> tuple[Appeal, Category | None]:
    """Return a POST's appeal and its service's category; raises InvalidInput or NotFound (unknown service)."""
    if not form.get("service_code"):
        raise InvalidInput("service_code is missing")
    service = city.service(form["service_code"])
    place = place_of(form, city.towns)
    media = clean_line(form.get("media_url"), limit=2000, field="media_url")
    if media and not media.lower().startswith(("http://", "https://")):
        raise InvalidInput("media_url begins with http:// or https://")
    parts = (form.get("description") or service.name, f"照片:{media}" if media else "")
    text = required_text("\n".join(part for part in parts if part), field="description", limit=MAX_TEXT)
    said = service.name != OTHER  # who chooses "other" has said nothing of the matter: it is read from the text
    appeal = Appeal(text=text, title=service.name if said else "", citizen=_citizen(form), place=place)
    return appeal, Category(l1=service.l1, l2=service.name) if said else None


def _citizen(form: Form) -> Citizen:
    names = (clean_line(form.get(part), field=part) for part in ("last_name", "first_name"))
    phone = normalize_phone(form["phone"]) if form.get("phone") else ""
    known = (clean_line(form.get(part), field=part) for part in ("account_id", "email", "device_id"))
    return Citizen(name="".join(names)[:200], phone=phone, key=phone or next((key for key in known if key), ""))


def content_key(appeal: Appeal, sender: str) -> str:
    """Return what makes two deliveries without an Idempotency-Key the same: sender and content."""
    return hashlib.blake2b(sender.encode() + b"\0" + msgspec.msgpack.encode(appeal), digest_size=16).hexdigest()


def token_of(sender: str, key: str) -> str:
    """Return the delivery's token. Sender and key may be guessed, so it opens no query code without its proof."""
    return hashlib.blake2b(f"{sender}\0{key}".encode(), digest_size=_TOKEN // 2).hexdigest()


def read_token(told: str, prove: Prove) -> tuple[str, bool]:
    """Return the token of what was told, and whether we proved it; raises NotFound for a proof that is not ours."""
    token, proof = told[:_TOKEN], told[_TOKEN:]
    if proof and not hmac.compare_digest(proof.encode(), prove(token).encode()):
        raise NotFound("the token is not known")
    return token, bool(proof)


def external_id(token: str) -> str:
    """Return the delivery's identity within the channel."""
    return f"open311:{token}"


def inbound_of(
    appeal: Appeal, matter: Category | None = None, *, token: str, source: str, now: datetime
) -> Inbound:
    """Return the delivery; Open311 counts as an app."""
    return Inbound(
        channel=Channel.APP, external_id=external_id(token), appeal=appeal, received_at=now, source=f"open311:{source}",
        category=matter,
    )


def decode_filter(query: Form, city: Jurisdiction, now: datetime) -> RequestFilter:
    """Return which requests are asked for: those that are named, whatever else is said, else those that the rest finds.

    Raises InvalidInput or NotFound (unknown service).
    """
    if numbers := dict.fromkeys(_listed(query, "service_request_id")):
        if len(numbers) > MAX_PAGE:
            raise InvalidInput(f"at most {MAX_PAGE} service_request_ids are answered at once; {len(numbers)} are named")
        return RequestFilter(numbers=tuple(TicketNumber(number) for number in numbers), limit=MAX_PAGE)
    services = [city.service(code) for code in dict.fromkeys(_listed(query, "service_code"))]
    size, page = _count(query, "page_size", PAGE, MAX_PAGE), _count(query, "page", 1, MAX_PAGES)
    if len(services) * page * size > MOST_READ:
        raise InvalidInput(
            f"page {page} of {len(services)} service_codes goes too deep: name fewer services, or narrow the dates"
        )
    end = _moment(query, "end_date")
    return RequestFilter(
        categories=tuple((service.l1, service.name) for service in services),
        start=_moment(query, "start_date") or _before(end or now), end=end, closed=_closed(query), limit=size,
        offset=(page - 1) * size,
    )


def _before(moment: datetime) -> datetime:
    try:
        return moment - SPAN
    except OverflowError:  # in the year 1
        return moment


def _listed(query: Form, name: str) -> list[str]:
    return [clean_line(part) for part in query.get(name, "").split(",") if part.strip()]


def _closed(query: Form) -> bool | None:
    wanted = set(_listed(query, "status"))
    if wanted - {"open", "closed"}:
        raise InvalidInput("status is open, closed, or both with a comma")
    return ("closed" in wanted) if len(wanted) == 1 else None


def _count(query: Form, name: str, default: int, limit: int) -> int:
    given = query.get(name, "")
    if not given:
        return default
    if not (given.isascii() and given.isdigit() and len(given) < 9) or not 1 <= int(given) <= limit:
        raise InvalidInput(f"{name} is a whole number from 1 to {limit}")
    return int(given)


def _moment(query: Form, name: str) -> datetime | None:
    given = query.get(name, "").strip()
    if not given:
        return None
    try:
        moment = datetime.fromisoformat(given.replace(" ", "+"))
    except ValueError as error:
        raise InvalidInput(f"{name} is not an ISO 8601 time like 2026-11-21T08:00:00+08:00") from error
    if moment.tzinfo is None:
        raise InvalidInput(f"{name} has no time zone; end it with Z or +08:00")
    return moment


# ── answers ──────────────────────────────────────────────────────────────────────────────────────
def service_row(service: Service, city: Jurisdiction) -> Row:
    """Return a service as in the service list."""
    return {
        "service_code": service.code, "service_name": service.name, "description": f"{service.group}·{service.name}",
        "metadata": bool(city.towns), "type": "realtime", "keywords": ",".join(service.keywords),
        "group": service.group,
    }


def definition(service: Service, city: Jurisdiction) -> dict[str, Any]:
    """Return the service definition: the town can be chosen."""
    values = [{"key": town, "name": town} for town in city.towns]
    town = {
        "variable": True, "code": TOWN, "datatype": "singlevaluelist", "required": False,
        "datatype_description": "", "order": 1, "description": "镇街", "values": values,
    }
    return {"service_code": service.code, "attributes": [town] if values else []}


def request_row(ticket: PublicTicket, city: Jurisdiction) -> Row:
    """Return a request as in the list. What could name a person is left empty: text, address, coordinates."""
    service = next((s for s in city.services.values() if ticket.category is not None
                    and (s.l1, s.name) == (ticket.category.l1, ticket.category.l2)), None)
    return {
        "service_request_id": ticket.number, "status": "closed" if ticket.closed else "open",
        "status_notes": ticket.public_reply, "service_name": service.name if service else "",
        "service_code": service.code if service else "", "description": "",
        "agency_responsible": ticket.department, "service_notice": "",
        "requested_datetime": ticket.requested_at.isoformat(timespec="seconds"),
        "updated_datetime": ticket.updated_at.isoformat(timespec="seconds"),
        "expected_datetime": ticket.expected_by.isoformat(timespec="seconds") if ticket.expected_by else "",
        "address": ticket.town, "address_id": "", "zipcode": "", "lat": None, "long": None, "media_url": "",
    }


def taken_row(receipt: Receipt | None, token: str) -> Row:
    """Return the answer to a POST: a token, or "" and the number; the query code where the request is taken already."""
    named: Row = {"token": token} if token or receipt is None else {"service_request_id": receipt.number}
    return named | {"service_notice": _notice(receipt), "account_id": ""}


def found_row(token: str, receipt: Receipt, *, proven: bool) -> Row:
    """Return the number behind a token, with the query code for who has it from us."""
    notice = _notice(receipt if proven else None)
    return {"service_request_id": receipt.number, "token": token, "service_notice": notice}


def _notice(receipt: Receipt | None) -> str:
    return "" if receipt is None else clean(NOTICE.format(code=receipt.code))
