"""What is wrong with settings that are each well-formed, but cannot work, or not with each other.

Every line begins with the settings that it is about: `name: …`, or `name, name: …`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hotline.config_text import identity_mistakes, listed, origin_of, pairs, server_of, template
from hotline.errors import InvalidInput
from hotline.neighbours import neighbours_of
from routing.addresses import networks

if TYPE_CHECKING:
    from hotline.config import Settings

_ADDRESSES = (
    "wechat_api", "police_url", "ari_url", "speech_url", "public_url", "sms_url", "push_url", "ws_url", "oidc_issuer",
)
_CONSOLES = "wss://12345.example.gov.cn:8443/"
_CALLER_ID = re.compile(r"\+?[0-9]{3,20}")


def about(mistake: str) -> frozenset[str]:
    """Return the settings that a line is about."""
    return frozenset(mistake.partition(":")[0].split(", "))


def mistakes_of(settings: Settings) -> list[str]:
    """Return a line for everything that is wrong."""
    return [
        *_address_mistakes(settings), *_wechat_mistakes(settings),
        *identity_mistakes(settings.second_factor, oidc=(
            settings.oidc_issuer, settings.oidc_client, settings.oidc_secret, settings.public_url
        )),
        *_partner_mistakes(settings), *_voice_mistakes(settings), *_token_mistakes(settings),
    ]


def _is_address(text: str, example: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:  # half an IPv6 address
        return False
    schemes = {"ws", "wss"} if example == _CONSOLES else {"http", "https", "ws", "wss"}
    return parts.scheme in schemes and bool(parts.hostname)


def _address_mistakes(settings: Settings) -> list[str]:
    found = []
    for name in _ADDRESSES:
        address, example = getattr(settings, name), _CONSOLES if name == "ws_url" else "http://127.0.0.1:9110"
        if address and not _is_address(address, example):
            found.append(f"{name}: {address!r} is no address such as {example}")
    found += [
        f"allowed_origins: {one!r} is no Origin as browsers send it, such as "
        f"{origin_of(one) or 'https://12345.example.gov.cn'}, several by comma"
        for one in sorted(listed(settings.allowed_origins)) if origin_of(one) != one
    ]
    try:
        networks(settings.webhook_networks)
    except InvalidInput as error:
        found.append(error.detail)
    found += [
        f"{name}: must look like postgresql://user:password@host:5432/database, with / ? # [ @ in the password written "
        "as %2F %3F %23 %5B %40" for name in ("dsn", "reports_dsn")
        if (given := getattr(settings, name))
        and not (given.startswith(("postgresql://", "postgres://")) and server_of(given) is not None)
    ]
    if settings.http_port and settings.http_port == settings.ws_port:
        found.append(f"http_port, ws_port: both are {settings.ws_port}, and two cannot listen there: choose another")
    return found


def _partner_mistakes(settings: Settings) -> list[str]:
    found = []
    if settings.police_url and not settings.police_secret:
        found.append("police_secret: needed when police_url is set, or the desk could not check our signature")
    found += [
        f"{name}_secret: needed when {name}_url is set, or the gateway could not check our signature"
        for name in ("sms", "push")
        if getattr(settings, f"{name}_url") and not getattr(settings, f"{name}_secret")
    ]
    try:
        neighbours_of(settings.neighbours)
    except InvalidInput as error:
        found.append(f"neighbours: {error.detail}")
    return found


def _voice_mistakes(settings: Settings) -> list[str]:
    found = []
    if (settings.ari_url or settings.ari_listen) and not (settings.ari_user and settings.ari_password):
        found.append("ari_user, ari_password: needed when ari_url or ari_listen is set")
    host, _, port = settings.ari_listen.rpartition(":")
    if settings.ari_listen and not (host and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        found.append(f"ari_listen: {settings.ari_listen!r} is no host:port such as 127.0.0.1:8089")
    if not _CALLER_ID.fullmatch(settings.ari_caller_id):
        found.append(f"ari_caller_id: {settings.ari_caller_id!r} is no number as carriers take it: 12345, +8676912345")
    return found


def _token_mistakes(settings: Settings) -> list[str]:
    found = []
    for setting in ("app_tokens", "ioc_tokens"):
        for number, pair in enumerate(filter(str.strip, getattr(settings, setting).split(",")), start=1):
            name, _, secret = pair.partition(":")
            if not name.strip() or len(secret.strip()) < 8:  # which of the two is the secret nobody knows
                found.append(f"{setting}: part {number} must be name:secret, the secret 8 characters or more")
    return found


def _wechat_mistakes(settings: Settings) -> list[str]:
    found = []
    if settings.wechat_aes_key and len(settings.wechat_aes_key) != 43:
        found.append(f"wechat_aes_key: EncodingAESKey has 43 characters, this one {len(settings.wechat_aes_key)}")
    if settings.wechat_aes_key and not settings.wechat_app_id:
        found.append("wechat_app_id: needed when wechat_aes_key is set, encrypted messages name the account by it")
    if not settings.wechat_plain and not settings.wechat_aes_key:
        found.append("wechat_aes_key: needed when wechat_plain is false, or no message could be read")
    if settings.wechat_secret and not settings.wechat_app_id:
        found.append("wechat_app_id: needed when wechat_secret is set")
    if len(pairs(settings.wechat_menu)) != len([part for part in settings.wechat_menu.split("|") if part.strip()]):
        found.append("wechat_menu: must look like HOURS=我们全天为您服务|HOW=请直接发送您的诉求, every key once")
    name, keywords = template(settings.wechat_template)
    if settings.wechat_template and ("=" in name or not name or not keywords):
        found.append("wechat_template: must look like TEMPLATE_ID|character_string1=number|thing2=text")
    if settings.wechat_template and not settings.wechat_secret:
        found.append("wechat_secret: needed when wechat_template is set, or no notice could be sent")
    return found
