"""Who a fuzzed request comes from: nobody, an app, a unit, the operation centre, each role of staff, a neighbour."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import asyncpg
import requests
from requests.adapters import HTTPAdapter

from tests.processes import PASSWORD, POLICE_SECRET, TOKEN, WECHAT_TOKEN, House

IOC_TOKEN = "ioc-token-12345"
NEIGHBOUR_SECRET = "a secret between two"
NEIGHBOURS = {
    "440100": "广州12345", "portal": "一网通办", "wishes": "民生大莞家", "data": "数据平台", "grid": "智网工程",
}
UNIT = "城市管理和综合执法局"
STAFF = {
    "fuzz.agent": ("agent",), "fuzz.supervisor": ("supervisor",),
    "fuzz.department": ("department", "--department", UNIT),
    "fuzz.system": ("system_admin",), "fuzz.security": ("security_admin",), "fuzz.audit": ("audit_admin",),
}
Identify = Callable[[requests.PreparedRequest], None]


def environment() -> dict[str, str]:
    """Return settings under which every route is there."""
    known = "|".join(f"{code}={name},http://127.0.0.1:9,{NEIGHBOUR_SECRET}" for code, name in NEIGHBOURS.items())
    return {
        "HOTLINE_IOC_TOKENS": f"ioc:{IOC_TOKEN}", "HOTLINE_NEIGHBOURS": known, "HOTLINE_DATABASE_CONNECTIONS": "10",
        "HOTLINE_WECHAT_PLAIN": "true",
    }


def add_people(house: House) -> str:
    """Add staff of every role and a unit's system; return the unit's token."""
    for name, (role, *more) in STAFF.items():
        house.add_staff(name, role, *more)
    command = [sys.executable, "-m", "hotline", "unit", "register", UNIT]
    said = subprocess.run(command, env=house.environment(), check=True, capture_output=True, text=True).stdout
    return next(word for word in said.split() if len(word) >= 32)


def bearer(token: str) -> Identify:
    """Send a token."""
    def identify(request: requests.PreparedRequest) -> None:
        request.headers["Authorization"] = f"Bearer {token}"
    return identify


def nobody(_: requests.PreparedRequest) -> None:
    """Send the request as it is."""


def signed(secret: str) -> Identify:
    """Sign as the 110 desk and neighbours do."""
    def identify(request: requests.PreparedRequest) -> None:
        stamp, body = str(int(time.time())), request.body or b""
        whole = body.encode(errors="replace") if isinstance(body, str) else bytes(body)
        what = stamp.encode() + b"." + (whole or (request.path_url or "").encode())
        request.headers["X-Timestamp"] = stamp
        request.headers["X-Signature"] = hmac.new(secret.encode(), what, hashlib.sha256).hexdigest()
    return identify


def wechat(request: requests.PreparedRequest) -> None:
    """Sign as WeChat does."""
    stamp = str(int(time.time()))
    digest = hashlib.sha1("".join(sorted([WECHAT_TOKEN, stamp, "n"])).encode(), usedforsecurity=False).hexdigest()
    base, _, _ = str(request.url).partition("?")
    request.url = f"{base}?signature={digest}&timestamp={stamp}&nonce=n&echostr=x"


class Identities:
    """Everybody. Sessions that a fuzzed request has ended are begun anew."""

    def __init__(self, house: House, unit_token: str) -> None:
        self._house = house
        self._fixed: dict[str, Identify] = {
            "nobody": nobody, "app": bearer(TOKEN), "unit": bearer(unit_token), "ioc": bearer(IOC_TOKEN),
            "desk": signed(POLICE_SECRET), "neighbour": signed(NEIGHBOUR_SECRET), "wechat": wechat,
        }
        self._sessions: dict[str, str] = {}
        self._renamed: dict[str, str] = {}
        self._log_ins = itertools.count(256)
        self.names = [*self._fixed, *STAFF]

    def likely(self, path: str, security: list[str]) -> list[str]:
        """Return who is let in by a route, as far as the document tells."""
        if "neighbours" in path or "portal" in path or "wishes" in path or "export" in path:
            return ["neighbour"]
        if "police" in path:
            return ["desk"]
        if path == "/wechat":
            return ["wechat"]
        return [name for scheme in security for name in (STAFF if scheme == "staff" else [scheme or "nobody"])]

    def of(self, name: str) -> Identify:
        """Return what makes a request theirs."""
        return self._fixed.get(name) or bearer(self._session(name))

    def ended(self, name: str) -> None:
        """Forget a session that was refused."""
        self._sessions.pop(name, None)

    def _session(self, name: str) -> str:
        if name not in self._sessions:
            answer = self._log_in(self._renamed.get(name, name))
            if answer.status_code in (401, 403):  # an administrator was fuzzed into ending this account
                self._renamed[name] = f"{name}.{len(self._renamed)}.{time.monotonic_ns() % 10**6}"
                self._house.add_staff(self._renamed[name], *STAFF[name])
                answer = self._log_in(self._renamed[name])
            answer.raise_for_status()
            self._sessions[name] = answer.json()["token"]
        return self._sessions[name]

    def _log_in(self, name: str) -> requests.Response:
        """Log in, each time from elsewhere: fuzzed requests end sessions all the time, and log-ins are rationed."""
        number = next(self._log_ins)
        with requests.Session() as session:
            session.mount("http://", From(f"127.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"))
            login = {"name": name, "password": PASSWORD}
            return session.post(f"{self._house.url}/api/v1/login", json=login, timeout=30)


class From(HTTPAdapter):
    """Sends from an address of this machine."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *sizes: Any, **more: Any) -> None:
        super().init_poolmanager(*sizes, source_address=(self._address, 0), **more)


async def known_numbers(dsn: str) -> list[tuple[str, str]]:
    """Return numbers and codes of tickets that are there."""
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch("SELECT number, code FROM tickets ORDER BY id DESC LIMIT 20")
    await connection.close()
    return [(row["number"], row["code"]) for row in rows]
