"""What the aiohttp adapters share: reading requests, writing JSON. An adapter imports this, never another adapter."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping, Sequence

import msgspec
from aiohttp import BodyPartReader, web
from aiohttp.typedefs import Handler

from channels.appeal_codec import AttachmentBody
from channels.attachments import check_together, named
from channels.clean import check_key
from channels.limits import network_of
from channels.port import AttachmentPort
from hotline.appeal import Attachment
from hotline.errors import InvalidInput, Overloaded, Unauthenticated

JSON = "application/json"
MAX_WITH_FILES = 64 * 1024 * 1024
"""Bytes of a JSON body that may hold files."""
ROOM, SMALL = 256 * 1024 * 1024, 256 * 1024
"""Bytes that large bodies may hold of a process's memory all together, and what of each request is not counted."""
_encoder = msgspec.json.Encoder()


class Bodies:
    """Counts what the requests under way have read of their bodies; `middleware` stands before what reads them.

    The first `SMALL` bytes of each are free: who fills the room keeps large files out, never a citizen's words.
    """

    def __init__(self, room: int = ROOM) -> None:
        self._room, self.held = room, 0
        self._read: dict[int, int] = {}

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """What sees every request; once it is answered its body is counted no more."""
        request[_BODIES] = self
        try:
            return await handler(request)
        finally:
            self.held -= max(0, self._read.pop(id(request), 0) - SMALL)

    def count(self, request: web.Request, size: int) -> None:
        """Count `size` more bytes of a request; raises Overloaded where they find no room."""
        read = self._read.get(id(request), 0) + size
        held = self.held + max(0, min(size, read - SMALL))
        if held > self._room:
            raise Overloaded("too much is being sent at once just now; send it again in a moment", retry_after=5)
        self._read[id(request)], self.held = read, held


_BODIES: web.RequestKey[Bodies] = web.RequestKey("bodies", Bodies)


def json_response(value: object, *, status: int = 200) -> web.Response:
    """Return a value as JSON."""
    return web.Response(status=status, body=_encoder.encode(value), content_type=JSON)


def named_by_secret(given: str, secrets_by_name: Mapping[str, str]) -> str:
    """Return whose secret `given` is, "" for nobody's; every secret is compared, each in constant time."""
    found, attempt = "", given.encode(errors="replace")
    for name, secret in secrets_by_name.items():
        if hmac.compare_digest(attempt, secret.encode()):
            found = name
    return found


def client_of(request: web.Request, tokens: Mapping[str, str]) -> str:
    """Return the name of the app that calls, "" without `Authorization`; raises Unauthenticated for a wrong token."""
    header = request.headers.get("Authorization")
    if header is None:
        return ""
    scheme, _, token = header.partition(" ")
    name = named_by_secret(token.strip(), tokens) if scheme.lower() == "bearer" else ""
    if not name:
        raise Unauthenticated("the bearer token is not known; send `Authorization: Bearer TOKEN` or leave it out")
    return name


def idempotency_key(request: web.Request) -> str:
    """Return the request's `Idempotency-Key`, or a new one: without it every request is a delivery of its own."""
    key = request.headers.get("Idempotency-Key")
    return check_key(key) if key is not None else secrets.token_hex(16)


def client_address(request: web.Request, *, proxies: int = 0) -> str:
    """Return where a request comes from: the address that the outermost of `proxies` trusted proxies saw.

    Some append to the header, some (HAProxy) add one more of them: the first alone is what the client has made up.
    """
    told = ",".join(request.headers.getall("X-Forwarded-For", []))
    hops = [hop.strip() for hop in told.split(",") if hop.strip()]
    if proxies and len(hops) >= proxies:
        return _without_port(hops[-proxies])
    return request.remote or ""


def _without_port(hop: str) -> str:
    """Return the address alone: with the port, another one for each connection, everybody would be many."""
    host, _, port = hop.rpartition(":")
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return host if "." in host and port.isdigit() and ":" not in host else hop


def client_network(request: web.Request, *, proxies: int = 0) -> str:
    """Return what to count requests by: the address, of IPv6 its network; one customer has all of that."""
    return network_of(client_address(request, proxies=proxies))


def gone(request: web.BaseRequest) -> bool:
    """Tell whether the client is away: there is nobody to answer."""
    return request.transport is None or request.transport.is_closing()


async def read_limited(request: web.Request, limit: int) -> bytes:
    """Return the body; raises InvalidInput (`too_large`) beyond `limit` bytes without reading on, or Overloaded."""
    body = bytearray()
    async for chunk in request.content.iter_chunked(64 * 1024):
        _count(request, chunk)
        body += chunk
        if len(body) > limit:
            raise InvalidInput(f"the body has more than {limit} bytes", error_id="too_large")
    return bytes(body)


async def read_part(request: web.Request, part: BodyPartReader, limit: int) -> bytes:
    """Return a part of a form; raises InvalidInput (`too_large`) beyond `limit` bytes or where it is packed, or
    Overloaded."""
    if part.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise InvalidInput("send each part of the form as it is", error_id="unsupported_media_type")
    data = bytearray()
    while chunk := await part.read_chunk(64 * 1024):
        _count(request, chunk)
        data += chunk
        if len(data) > limit:
            raise InvalidInput(f"a part of the form is larger than {limit} bytes", error_id="too_large")
    return bytes(part.decode(data))


def _count(request: web.Request, chunk: bytes) -> None:
    if (bodies := request.get(_BODIES)) is not None:
        bodies.count(request, len(chunk))


def require_json(request: web.Request) -> None:
    """Raise InvalidInput (`unsupported_media_type`) unless the body is declared as JSON or not at all."""
    if "Content-Type" in request.headers and request.content_type not in (JSON, "application/octet-stream"):
        raise InvalidInput(f"send {JSON}, not {request.content_type}", error_id="unsupported_media_type")


async def stored(port: AttachmentPort, files: Sequence[AttachmentBody]) -> tuple[Attachment, ...]:
    """Return the attachments of a JSON body: those kept already by key, inline ones stored now."""
    check_together([len(file.data) for file in files])
    return tuple([await _kept(port, file) for file in files])


async def _kept(port: AttachmentPort, file: AttachmentBody) -> Attachment:
    if bool(file.key) == bool(file.data):
        raise InvalidInput("an attachment has either a key or data", field="attachments")
    if file.key:
        return named(await port.attachment(file.key), file.name)
    return await port.store_attachment(file.data, file.name)
