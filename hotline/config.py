"""Configuration: `hotline.toml`, and `HOTLINE_*` variables over it. All mistakes are reported at once.

Every setting is a field here with its help text; `hotline.toml` shows each with its default, a test compares the two.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

import msgspec
from msgspec import Meta

from hotline.config_mistakes import about, mistakes_of
from hotline.config_text import listed as listed
from hotline.config_text import named_secrets as named_secrets
from hotline.config_text import pairs as pairs
from hotline.config_text import template as template
from hotline.errors import UNREADABLE, InvalidInput

PREFIX = "HOTLINE_"
_NO_SETTINGS = {"HOTLINE_CONFIG"}
"""Variables that are read, but name where the settings are."""
Port = Annotated[int, Meta(ge=0, le=65535)]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings. The variable of `http_port` is `HOTLINE_HTTP_PORT`, its key in the file `http_port`."""

    dsn: Annotated[str, Meta(description="PostgreSQL to use; empty: the embedded one, which the demo makes")] = ""
    data_dir: Annotated[str, Meta(description="embedded database, attachments, recordings, spool")] = "var"
    keys_file: Annotated[str, Meta(description="keys that seal personal data; empty: keys.json in data_dir")] = ""
    seal_with: Annotated[
        str, Meta(pattern="^(aes-256-gcm|sm4-gcm)$", description="cipher of new keys: aes-256-gcm or sm4-gcm (国密)")
    ] = "aes-256-gcm"
    city_dir: Annotated[str, Meta(description="the city's data files")] = "cities/441900"
    model_dir: Annotated[str, Meta(description="the trained models")] = "models"
    triage_encoder: Annotated[
        str, Meta(pattern="^(auto|always|off)$", description="ask the encoder too: auto (when quiet), always or off")
    ] = "auto"
    shadow_dir: Annotated[str, Meta(description="a model that judges beside the present one and decides nothing")] = ""
    host: Annotated[str, Meta(description="address that HTTP and the console listen on")] = "127.0.0.1"
    http_port: Annotated[Port, Meta(description="port of HTTP")] = 8080
    ws_port: Annotated[Port, Meta(description="port of the console's WebSocket")] = 8081
    metrics_port: Annotated[
        Port, Meta(description="port of /metrics of a process without the role intake; 0: none")
    ] = 0
    reports_dsn: Annotated[str, Meta(description="a replica that reports and figures are read from; empty: dsn")] = ""
    database_connections: Annotated[int, Meta(ge=3, le=200, description="connections of one process")] = 10
    max_waiting: Annotated[int, Meta(ge=1, description="messages that may wait in intake before 503")] = 2000
    web_rate: Annotated[int, Meta(ge=1, description="appeals a minute for one address without a token")] = 20
    citizen_rate: Annotated[int, Meta(ge=0, description="appeals a minute for one citizen; 0: no limit")] = 30
    token_rate: Annotated[int, Meta(ge=0, description="requests a minute for one token or app; 0: no limit")] = 0
    proxies: Annotated[int, Meta(ge=0, description="trusted proxies in front that append X-Forwarded-For")] = 0
    public_url: Annotated[str, Meta(description="address citizens reach us at; empty takes host and port")] = ""
    allowed_origins: Annotated[str, Meta(description="Origins whose pages may open WebSockets, by comma")] = ""
    ws_url: Annotated[str, Meta(description="address consoles connect to behind a proxy; empty: ws_port here")] = ""
    second_factor: Annotated[
        str, Meta(description="roles that need a second factor to log in, by comma; everybody may have one")
    ] = "agent,supervisor,department,system_admin,security_admin,audit_admin"
    session_idle: Annotated[int, Meta(ge=1, le=480, description="minutes without use after which a log-in ends")] = 15
    session_hours: Annotated[int, Meta(ge=1, le=24, description="hours after which a log-in ends in any case")] = 12
    password_days: Annotated[int, Meta(ge=0, description="days after which a password is changed; 0: never")] = 90
    password_history: Annotated[int, Meta(ge=0, le=24, description="earlier passwords that do not come back")] = 5
    oidc_issuer: Annotated[str, Meta(description="identity provider (OpenID Connect) of staff; empty: none")] = ""
    oidc_client: Annotated[str, Meta(description="our client id at the identity provider")] = ""
    oidc_secret: Annotated[str, Meta(description="our client secret there")] = ""
    oidc_claim: Annotated[str, Meta(description="claim that holds the log-in name")] = "preferred_username"
    oidc_acr: Annotated[
        str, Meta(description="acr values one of which the provider must vouch for (two factors), by comma; empty: any")
    ] = ""
    oidc_name: Annotated[str, Meta(description="what the log-in page calls the identity provider")] = "统一身份认证"
    app_tokens: Annotated[str, Meta(description="applications that may send appeals: name:secret,…")] = ""
    ioc_tokens: Annotated[str, Meta(description="who may read live figures (IOC): name:secret,…; empty: nobody")] = ""
    wechat_token: Annotated[str, Meta(description="token of the WeChat official account; empty: off")] = ""
    wechat_app_id: Annotated[str, Meta(description="app id of the WeChat official account")] = ""
    wechat_secret: Annotated[str, Meta(description="app secret of the WeChat official account")] = ""
    wechat_aes_key: Annotated[str, Meta(description="EncodingAESKey, 43 characters; empty: plain mode only")] = ""
    wechat_plain: Annotated[bool, Meta(description="take unencrypted WeChat messages too; false in 安全模式")] = True
    wechat_menu: Annotated[str, Meta(description="answers to menu buttons: key=answer, by |")] = ""
    wechat_template: Annotated[str, Meta(description="subscription notice: template id, then keyword=value, by |")] = ""
    wechat_api: Annotated[str, Meta(description="base address of WeChat's API")] = "https://api.weixin.qq.com"
    police_url: Annotated[str, Meta(description="base address of the 110 desk; empty: incidents wait")] = ""
    police_secret: Annotated[str, Meta(description="shared secret with the 110 desk, both ways")] = ""
    police_timeout: Annotated[float, Meta(gt=0, description="seconds to wait for the desk's answer")] = 5.0
    police_alarm_after: Annotated[
        float, Meta(ge=0, description="seconds of silence until the alarm; 0: acknowledge_within of city.toml")
    ] = 0.0
    police_sign_alarm_after: Annotated[
        float, Meta(ge=0, description="seconds without a signature until the alarm; 0: sign_within of city.toml")
    ] = 0.0
    webhook_networks: Annotated[str, Meta(description="networks, beside the public ones, of units' systems")] = ""
    webhook_timeout: Annotated[float, Meta(gt=0, description="seconds to wait for a unit's system")] = 10.0
    sms_url: Annotated[str, Meta(description="SMS gateway (docs/channels.md); empty: telephones get no notices")] = ""
    sms_secret: Annotated[str, Meta(description="shared secret with the SMS gateway")] = ""
    push_url: Annotated[str, Meta(description="push of the city's app, same protocol; empty: SMS instead")] = ""
    push_secret: Annotated[str, Meta(description="shared secret with the app's push")] = ""
    neighbours: Annotated[str, Meta(description="cities, grid, portal, wishes, data: code=name,url,secret by |")] = ""
    ari_url: Annotated[str, Meta(description="address of Asterisk's ARI; empty: voice is off")] = ""
    ari_listen: Annotated[str, Meta(description=(
        "where the PBX dials us, host:port (docs/voice.md); empty: we dial ari_url"
    ))] = ""
    ari_user: Annotated[str, Meta(description="user of ARI")] = ""
    ari_password: Annotated[str, Meta(description="password of ARI")] = ""
    ari_app: Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,64}$", description=(
        "our application at the PBX, Stasis(hotline); another one for each hotline on the same PBX"
    ))] = "hotline"
    ari_trunk: Annotated[str, Meta(description="where outside numbers are rung")] = "PJSIP/{number}@trunk"
    ari_caller_id: Annotated[
        str, Meta(description="the hotline's own number, which telephones that we ring show")
    ] = "12345"
    outside_ring_seconds: Annotated[
        float, Meta(gt=0, le=120, description="seconds that telephones outside ring")
    ] = 45.0
    retention_years: Annotated[int, Meta(ge=1, le=100, description="years that identities are kept")] = 10
    recording_days: Annotated[int, Meta(ge=1, le=36500, description="days that recordings are kept")] = 730
    speech_url: Annotated[
        str, Meta(description="speech recogniser (FunASR), ws://host:port; empty: calls are not heard")
    ] = ""
    speech_listen: Annotated[str, Meta(pattern=r"^[^:]+:\d+$", description="where the PBX sends sound")] = "127.0.0.1:0"
    announce_seconds: Annotated[float, Meta(ge=0, le=600, description="seconds between announcements; 0: none")] = 30.0
    ring_seconds: Annotated[float, Meta(gt=0, le=120, description="seconds that an agent's telephone rings")] = 15.0
    wrap_up_seconds: Annotated[float, Meta(ge=0, le=3600, description="seconds of wrap-up after a call")] = 30.0
    log_level: Annotated[str, Meta(pattern="^(debug|info|warning|error)$", description=(
        "least level that serve and the stand-ins log; other commands log warnings"
    ))] = "info"

    @property
    def public_base(self) -> str:
        """The address at which citizens reach us, without a slash at the end."""
        return (self.public_url or f"http://{self.at(self.http_port)}").rstrip("/")

    def at(self, port: int) -> str:
        """Return host and port as an address names them: an IPv6 host stands in brackets."""
        return f"[{self.host}]:{port}" if ":" in self.host else f"{self.host}:{port}"

    @property
    def data_path(self) -> Path:
        """The data directory, absolute."""
        return Path(self.data_dir).expanduser().resolve()

    def tokens(self) -> dict[str, str]:
        """Return app name → secret."""
        return named_secrets(self.app_tokens)


def describe() -> list[tuple[str, str, Any]]:
    """Return name, help text and default of every setting, in order."""
    hints = get_type_hints(Settings, include_extras=True)
    return [
        (field.name, next(meta.description for meta in get_args(hints[field.name]) if getattr(meta, "description", "")),
         field.default)
        for field in msgspec.structs.fields(Settings)
    ]


def voice_on(settings: Settings) -> bool:
    """Tell whether there is a PBX: one that we dial, or one that dials us."""
    return bool(settings.ari_url or settings.ari_listen)


def _one(name: str, value: Any) -> str | None:
    """Return what is wrong with one value, None if nothing."""
    if name not in Settings.__struct_fields__:
        return f"{name}: no such setting"
    try:
        msgspec.convert({name: value}, Settings, strict=False)
    except msgspec.ValidationError as error:
        wrong = f"{name}: {str(error).partition(' - at ')[0]}"
        return wrong if getattr(Settings(), name) == "" else f"{wrong} (got {value!r})"  # a secret without its quotes
    return None


def load(environment: Mapping[str, str] = os.environ, *, file: Path | None = None) -> Settings:
    """Read the settings: defaults, then the file, then the environment.

    Args:
        file: the configuration file; default `HOTLINE_CONFIG`, else `hotline.toml` where it exists.

    Raises:
        InvalidInput: one line for every mistake found, in the file and in the variables alike.
    """
    settings, mistakes = read(environment, file=file)
    if mistakes:
        raise InvalidInput("\n".join(mistakes), error_id="configuration")
    return settings


def read(environment: Mapping[str, str] = os.environ, *, file: Path | None = None) -> tuple[Settings, list[str]]:
    """Read what can be read: the settings, malformed ones with their defaults, and a line for every mistake.

    What does not fit is told too, save what is about a malformed setting: its default was never meant.

    Raises:
        InvalidInput: the file cannot be read at all.
    """
    values = _values(environment, file)
    malformed = {name: wrong for name, value in values.items() if (wrong := _one(name, value))}
    good = {name: value for name, value in values.items() if name not in malformed}
    settings = msgspec.convert(good, Settings, strict=False)
    unfit = [mistake for mistake in mistakes_of(settings) if not about(mistake) & malformed.keys()]
    return settings, [*malformed.values(), *unfit]


def _values(environment: Mapping[str, str], file: Path | None) -> dict[str, Any]:
    """Return what the file says, and over it what the variables say."""
    path = file or Path(environment.get("HOTLINE_CONFIG") or "hotline.toml")
    values: dict[str, Any] = {}
    if path.exists() or (file is None and environment.get("HOTLINE_CONFIG")):
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except UNREADABLE as error:
            raise InvalidInput(f"{path}: {error}", error_id="configuration") from error
        except OSError as error:
            raise InvalidInput(f"{path}: {error.strerror}", error_id="configuration") from error
    return values | {
        name: environment[PREFIX + name.upper()] for name in Settings.__struct_fields__
        if PREFIX + name.upper() in environment
    }


def misspelt(environment: Iterable[str]) -> list[str]:
    """Return a line for each HOTLINE_ variable that is no setting: nobody reads it, which is seldom what was meant."""
    known = [PREFIX + name.upper() for name, *_ in describe()]
    lines = []
    for name in sorted(set(environment) - set(known) - _NO_SETTINGS):
        if name.startswith(PREFIX):
            near = get_close_matches(name.removeprefix(PREFIX), [one.removeprefix(PREFIX) for one in known], n=1)
            meant = f": did you mean {PREFIX}{near[0]}?" if near else ""
            lines.append(f"{name} is no setting and is not read{meant}")
    return lines
