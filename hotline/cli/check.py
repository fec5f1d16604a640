"""`check`: say what is wrong with configuration, city, models, pages, database and neighbours, one line each."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from hotline.cli.base import city_of, command, database_told
from hotline.cli.check_database import database
from hotline.cli.check_identity import keys, staff
from hotline.config import Settings, misspelt, read
from hotline.config_mistakes import about
from hotline.errors import HotlineError

_ANNOUNCED = 12
"""From this month on, the next year's holidays must be known: clocks reach into it."""
Check = Callable[[Settings], Coroutine[Any, Any, str]]


def add(commands: Any) -> None:
    """Add the command."""
    command(
        commands, "check", run, summary="check configuration, city files, models, pages, database and neighbours",
        example="python -m hotline check && systemctl restart hotline",
    )


def run(given: argparse.Namespace) -> int:
    """Check everything; exit status 1 if something is wrong."""
    try:
        chosen, mistakes = read()
    except HotlineError as error:  # the file cannot be read: what it sets is not known
        _say_configuration(error.detail.splitlines())
        return 1
    _say_configuration(mistakes)
    wrong: frozenset[str] = frozenset().union(*map(about, mistakes))
    results = [_checked(name, check, chosen, wrong) for name, check in CHECKS.items()]
    return 0 if all(results) and not mistakes else 1


def _say_configuration(mistakes: list[str]) -> None:
    for line in mistakes or ["every setting is understood"]:
        _say("FAIL" if mistakes else "ok", "configuration", line)
    for line in misspelt(os.environ):
        _say("warn", "configuration", line)


def _say(mark: str, name: str, text: str) -> None:
    sys.stdout.write(f"{mark:4}  {name}: {text}\n")


def _checked(name: str, check: Check, chosen: Settings, wrong: frozenset[str]) -> bool:
    """Check one part and say what came of it; a part that needs a setting in `wrong` cannot be looked at."""
    if needed := sorted(wrong & _NEEDS[name]):
        _say("off", name, f"not looked at before {', '.join(needed)} can be used")
        return True
    try:
        with database_told():
            text = asyncio.run(check(chosen))
    except HotlineError as error:
        for line in error.detail.splitlines():
            _say("FAIL", name, line)
        return False
    except OSError as error:
        _say("FAIL", name, str(error))
        return False
    mark = next((mark for mark in ("off", "warn") if text.startswith(f"{mark}: ")), "ok")
    _say(mark, name, text.removeprefix(f"{mark}: "))
    return True


async def _city(chosen: Settings) -> str:

    city = city_of(chosen)
    directory = city.directory
    return f"{city.name} ({city.code}), directory {directory.version} with {len(directory.units)} units"


async def _calendar(chosen: Settings) -> str:
    """The State Council announces a year's holidays in the November before it."""
    from hotline.core import now
    from hotline.deadlines import ZONE

    known = city_of(chosen).policy.calendar.known
    today = now().astimezone(ZONE).date()
    needed = [today.year, today.year + 1] if today.month >= _ANNOUNCED else [today.year]
    missing = [str(year) for year in needed if year not in known]
    if missing:
        years = "、".join(missing)
        return f"warn: {years}年的节假日安排未知或不全,时限会算错: 请把国务院公布的安排全部写入 calendar.csv"
    return f"holidays and make-up days are known up to {max(known)}"


async def _models(chosen: Settings) -> str:
    from triage.pipeline import Pipeline

    pipeline = Pipeline.load(city_of(chosen), Path(chosen.model_dir))
    if chosen.shadow_dir:
        Pipeline.load(city_of(chosen), Path(chosen.shadow_dir))  # without it `serve` does not start either
    [triage] = pipeline(["路灯不亮"])
    if strange := pipeline.strange_labels:
        told = "、".join(strange[:5])
        return f"warn: 模型与分类表不一致, 相差{len(strange)}项({told}…): 请用本市的分类重新训练(docs/triage.md)"
    return f"{triage.model} answers"


async def _pages(_: Settings) -> str:
    """What git keeps holds none: an installation builds them."""
    from agent_ui import page

    if not page.built(page.DIST):
        return f"warn: not built: /, {', '.join(page.AREAS)} answer 503; run `make pages`"
    return f"built, in {page.DIST}"


async def _files(chosen: Settings) -> str:
    """Attachments and the spool go there, whatever database is used."""
    import tempfile

    chosen.data_path.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=chosen.data_path):
        return f"{chosen.data_path} can be written"


async def _addresses(chosen: Settings) -> str:
    """The service does no TLS: where its address is https, a proxy stands in front."""
    if chosen.public_url.startswith("https:") and not chosen.proxies:
        return (
            "warn: public_url is https, so a proxy stands in front, but proxies is 0: all citizens count as one "
            "address, and share its limits (web_rate)"
        )
    return f"citizens reach us at {chosen.public_base}, {chosen.proxies} proxies in front"


async def _police(chosen: Settings) -> str:
    if not chosen.police_url:
        return "off: police_url is not set; incidents wait and raise the alarm after a minute"
    import aiohttp

    from hotline.errors import Unavailable

    try:
        timeout = aiohttp.ClientTimeout(total=5)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(chosen.police_url):
            return f"{chosen.police_url} answers"
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise Unavailable(f"{chosen.police_url} does not answer ({type(error).__name__})") from error


async def _neighbours(chosen: Settings) -> str:
    from hotline.neighbours import neighbours_of

    known = neighbours_of(chosen.neighbours)
    if not known:
        return "off: the setting neighbours is empty"
    return "; ".join(f"{one.code} {one.unit}" + (f" at {one.url}" if one.url else "") for one in known.values())


async def _wechat(chosen: Settings) -> str:
    if not chosen.wechat_token:
        return "off: wechat_token is not set"
    mode = "encrypted and plain mode" if chosen.wechat_aes_key else "plain mode only"
    sends = "sends messages" if chosen.wechat_app_id and chosen.wechat_secret else "cannot write first (wechat_secret)"
    return f"{mode}, {sends}"


async def _sms(chosen: Settings) -> str:
    if not chosen.sms_url:
        return "off: sms_url is not set; callers read their progress by number and code"
    push = "push for the app too" if chosen.push_url else "no push: users of the app get SMS"
    return f"notices go to {chosen.sms_url}; {push}"


async def _voice(chosen: Settings) -> str:
    if not chosen.ari_url and not chosen.ari_listen:
        return "off: voice is off (ari_url is not set); tickets from calls are opened by agents in the console"
    listens = f"the PBX dials us at {chosen.ari_listen}" if chosen.ari_listen else ""
    if not chosen.ari_url:
        return f"{listens}; recordings stay there, as ari_url is not set"
    import aiohttp

    from channels.ari import Ari
    from channels.ari_wire import Dialled

    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
        wire = Dialled(session, base=chosen.ari_url, user=chosen.ari_user, password=chosen.ari_password)
        there = len(await Ari(wire, trunk="").channels())
        answers = f"{chosen.ari_url} answers, {there} channels; there we are the application {chosen.ari_app}"
        return "; ".join(filter(None, (listens, answers)))


async def _speech(chosen: Settings) -> str:
    if not chosen.speech_url:
        return "off: speech_url is not set; calls are not heard"
    import aiohttp

    from hotline.errors import Unavailable

    try:
        timeout = aiohttp.ClientTimeout(total=5)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.ws_connect(chosen.speech_url):
            return f"{chosen.speech_url} answers"
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise Unavailable(f"{chosen.speech_url} does not answer ({type(error).__name__})") from error


CHECKS: dict[str, Check] = {
    "city": _city, "calendar": _calendar, "models": _models, "pages": _pages, "files": _files, "keys": keys,
    "staff": staff, "addresses": _addresses, "database": database, "110": _police, "wechat": _wechat,
    "sms": _sms, "voice": _voice, "speech": _speech, "neighbours": _neighbours,
}
_NEEDS: dict[str, frozenset[str]] = {name: frozenset(settings.split()) for name, settings in {
    "city": "city_dir", "calendar": "city_dir", "models": "city_dir model_dir shadow_dir", "pages": "",
    "files": "data_dir", "keys": "keys_file data_dir seal_with", "staff": "second_factor oidc_issuer oidc_acr",
    "addresses": "public_url proxies", "database": "dsn data_dir", "110": "police_url", "wechat": "wechat_token",
    "sms": "sms_url push_url", "voice": "ari_url ari_listen ari_user ari_password", "speech": "speech_url",
    "neighbours": "neighbours",
}.items()}
"""The settings that a check cannot do without."""
