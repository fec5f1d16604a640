"""Settings that hold more than one thing in one text: how they are read, and what is wrong with them."""

from __future__ import annotations

from urllib.parse import urlsplit

from agent_ui.staff import StaffRole

_PORTS = {"http": 80, "https": 443}


def named_secrets(text: str) -> dict[str, str]:
    """Read `name:secret,name:secret` into name → secret."""
    pairs = (pair.partition(":") for pair in text.split(",") if pair.strip())
    return {name.strip(): secret.strip() for name, _, secret in pairs}


def listed(text: str) -> frozenset[str]:
    """Read `one, two` into its parts."""
    return frozenset(part.strip() for part in text.split(",") if part.strip())


def pairs(text: str) -> dict[str, str]:
    """Read `name=value|name=value`; parts without a name, a value or the sign between them are left out."""
    split = (part.partition("=") for part in text.split("|"))
    return {name.strip(): value.strip() for name, _, value in split if name.strip() and value.strip()}


def template(text: str) -> tuple[str, dict[str, str]]:
    """Read `TEMPLATE_ID|keyword=value|…` into the id and its keywords; value is `number`, `text` or a fixed text."""
    name, _, keywords = text.partition("|")
    return name.strip(), pairs(keywords)


def origin_of(address: str) -> str:
    """Return an address's Origin as browsers send it: small letters, no default port, no path; "" where it is none."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return ""
    if not parts.scheme or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{port}" if port not in (None, _PORTS.get(parts.scheme)) else "")


def server_of(dsn: str) -> str | None:
    """Return hosts and database of a DSN without its account; None where it cannot be told what of it is the password.

    A password with a sign of addresses (`/ ? # [`) in it that is not written as %2F … ends the account early.
    """
    try:
        parts = urlsplit(dsn)
    except ValueError:
        return None
    clear = "@" not in f"{parts.path}{parts.query}{parts.fragment}"
    return f"{parts.netloc.rpartition('@')[2]}{parts.path}" if clear else None


def identity_mistakes(second_factor: str, *, oidc: tuple[str, str, str, str]) -> list[str]:
    """Return what is wrong with the settings of the identity; `oidc`: issuer, client, secret, and our address."""
    unknown = listed(second_factor) - {*StaffRole}
    found = [f"second_factor: {name} is no role; roles are {', '.join(StaffRole)}" for name in sorted(unknown)]
    if oidc[0] and not all(oidc):
        found.append("oidc_client, oidc_secret, public_url: needed when oidc_issuer is set")
    return found
