"""Where a webhook may go (guard against server-side request forgery): public addresses, and networks that are named.

Pure. A unit's system is named by somebody, so its address is not trusted: neither this machine nor the house's own
network may be reached through it. Names are looked up when the connection is made, and every address that they lead to
is checked there again (`routing.webhooks`), so that a name cannot be turned round after it was registered.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from hotline.errors import InvalidInput

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address
MAX_URL = 2000
_IPV4_BEHIND = tuple(map(ip_network, ("64:ff9b::/96", "::ffff:0:0:0/96", "::/96")))
"""NAT64, and the translated and compatible forms of old: an IPv4 address stands in the last 32 bits."""
_NAT64_INNER = ip_network("64:ff9b:1::/48")
"""NAT64 with a prefix of the house's own (RFC 8215): leads where the house says."""


def networks(text: str) -> tuple[Network, ...]:
    """Read networks such as `10.0.0.0/8,fd00::/8`; raises InvalidInput for what is none."""
    found = []
    for part in filter(None, map(str.strip, text.split(","))):
        try:
            found.append(ip_network(part))
        except ValueError as error:
            raise InvalidInput(f"webhook_networks: {part!r} is no network such as 10.0.0.0/8") from error
    return tuple(found)


def _plain(address: Address) -> Address:
    """Return the IPv4 address behind an IPv6 one (mapped, 6to4, NAT64 and older forms), else the address itself."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and any(address in network for network in _IPV4_BEHIND):
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        return inner or address
    return address


def named(text: str, allowed: Sequence[Network]) -> bool:
    """Tell whether an address lies in one of the networks that are named."""
    address = ip_address(text.partition("%")[0])
    forms = {address, _plain(address)}
    return any(form.version == network.version and form in network for network in allowed for form in forms)


def permitted(text: str, allowed: Sequence[Network]) -> bool:
    """Tell whether a webhook may go to this address: a public one, or one of the networks that are named."""
    address = _plain(ip_address(text.partition("%")[0]))
    public = address.is_global and not address.is_multicast and address not in _NAT64_INNER
    return public or named(text, allowed)


def check_url(url: str, allowed: Sequence[Network]) -> str:
    """Return the address of a unit's system in its plain form.

    Plain http is for named networks only, by a literal address: elsewhere payloads would be read on the way.

    Raises:
        InvalidInput: it is no such address, carries a password or a fragment, or leads where it must not.
    """
    if len(url) > MAX_URL or not url.isprintable():
        raise InvalidInput(f"an address has at most {MAX_URL} printable characters")
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidInput(f"{url!r} is no address such as https://system.example.gov.cn/12345") from error
    if parts.scheme not in ("http", "https") or not host:
        raise InvalidInput(f"{url!r} is no address such as https://system.example.gov.cn/12345")
    if parts.username is not None or parts.fragment:
        raise InvalidInput("the address has neither a password nor a fragment: webhooks are signed")
    literal = literal_address(host)
    if literal is not None and not permitted(literal, allowed):
        raise InvalidInput(f"{host} is not public: name its network in webhook_networks if webhooks may go there")
    if parts.scheme == "http" and (literal is None or not named(literal, allowed)):
        raise InvalidInput("use https; plain http is only for literal addresses in webhook_networks")
    if not host.isascii():
        raise InvalidInput(f"{host}: write the name as it is looked up (xn--…): other signs can stand for an address")
    if literal is None and (host == "localhost" or host.endswith(".localhost") or "." not in host):
        raise InvalidInput(f"{host} is a name of this machine or this network: use the full name")
    return parts.geturl()


def literal_address(host: str) -> str | None:
    """Return the host where it is an address and not a name."""
    try:
        return str(ip_address(host.strip("[]").partition("%")[0]))
    except ValueError:
        return None
