"""Configuration: every setting documented, every mistake reported at once."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from hotline.config import Settings, describe, load, pairs, read, template
from hotline.errors import InvalidInput, Unavailable
from hotline.roles.parts import origins_of
from hotline.store.database import open_pool

TEXT = Path("hotline.toml").read_text(encoding="utf-8")


def test_every_setting_stands_in_the_file_with_its_default_and_its_help() -> None:
    shown = tomllib.loads(TEXT)
    assert shown == {name: default for name, _, default in describe()}
    lines = TEXT.splitlines()
    for name, help_text, _ in describe():
        place = next(number for number, line in enumerate(lines) if line.startswith(f"{name} ="))
        assert lines[place - 1].startswith(f"# {help_text}"), f"{name}: the line above it must be its help text"


def test_every_setting_is_used() -> None:
    files = [path for path in Path("hotline").rglob("*.py") if path.stem not in ("config", "config_mistakes")]
    source = "".join(path.read_text(encoding="utf-8") for path in files)
    source += ".data_dir" if ".data_path" in source else ""
    unused = {name for name, *_ in describe() if f".{name}" not in source}
    assert not unused


def test_the_environment_stands_above_the_file(tmp_path: Path) -> None:
    file = tmp_path / "hotline.toml"
    file.write_text('http_port = 1\nhost = "0.0.0.0"\n')
    found = load({"HOTLINE_HTTP_PORT": "9000", "UNRELATED": "x"}, file=file)
    assert (found.http_port, found.host, found.ws_port) == (9000, "0.0.0.0", 8081)


def test_the_file_may_stand_elsewhere(tmp_path: Path) -> None:
    file = tmp_path / "other.toml"
    file.write_text("http_port = 7\n")
    assert load({"HOTLINE_CONFIG": str(file)}).http_port == 7


def test_all_mistakes_are_reported_at_once(tmp_path: Path) -> None:
    file = tmp_path / "hotline.toml"
    file.write_text('htp_port = 1\nlog_level = "loud"\n')
    with pytest.raises(InvalidInput) as caught:
        load({"HOTLINE_WS_PORT": "many", "HOTLINE_WEB_RATE": "0"}, file=file)
    named = {line.partition(":")[0] for line in caught.value.detail.splitlines()}
    assert named == {"htp_port", "log_level", "web_rate", "ws_port"}


def test_what_does_not_fit_is_told_beside_what_is_malformed(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        load({
            "HOTLINE_LOG_LEVEL": "loud", "HOTLINE_POLICE_URL": "http://desk:9110", "HOTLINE_APP_TOKENS": "x",
        }, file=tmp_path / "none.toml")
    named = [line.partition(":")[0] for line in caught.value.detail.splitlines()]
    assert named == ["log_level", "police_secret", "app_tokens"]


def test_nothing_is_told_of_the_default_of_what_is_malformed(tmp_path: Path) -> None:
    file = tmp_path / "hotline.toml"
    file.write_text('police_url = "http://desk:9110"\npolice_secret = 12345678\nhttp_port = "x"\nws_port = 8080\n')
    settings, mistakes = read({}, file=file)
    assert [line.partition(":")[0] for line in mistakes] == ["police_secret", "http_port"]
    assert (settings.police_url, settings.police_secret, settings.http_port) == ("http://desk:9110", "", 8080)


def test_two_do_not_listen_on_one_port_unless_the_system_chooses_it(tmp_path: Path) -> None:
    none = tmp_path / "none.toml"
    with pytest.raises(InvalidInput, match="http_port, ws_port: both are 8081"):
        load({"HOTLINE_HTTP_PORT": "8081"}, file=none)
    assert load({"HOTLINE_HTTP_PORT": "0", "HOTLINE_WS_PORT": "0"}, file=none).ws_port == 0


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"HOTLINE_POLICE_URL": "desk:9110"}, "police_url"),
        ({"HOTLINE_POLICE_URL": "http://[desk:9110"}, "police_url"),
        ({"HOTLINE_POLICE_URL": "http://desk:9110"}, "police_secret"),
        ({"HOTLINE_DSN": "localhost"}, "dsn"),
        ({"HOTLINE_WS_URL": "https://12345.gov.cn:8443/"}, "ws_url: .* such as wss://"),
        ({"HOTLINE_ALLOWED_ORIGINS": "https://a.gov.cn;https://b.gov.cn"}, "allowed_origins"),
        ({"HOTLINE_ALLOWED_ORIGINS": "12345.gov.cn"}, "allowed_origins"),
        ({"HOTLINE_ALLOWED_ORIGINS": "https://12345.GOV.cn:443/"}, "allowed_origins: .* such as https://12345.gov.cn,"),
        ({"HOTLINE_WECHAT_AES_KEY": "short"}, "wechat_aes_key"),
        ({"HOTLINE_WECHAT_AES_KEY": "k" * 43}, "wechat_app_id"),
        ({"HOTLINE_WECHAT_PLAIN": "false"}, "wechat_aes_key"),
        ({"HOTLINE_WECHAT_PLAIN": "maybe"}, "wechat_plain"),
        ({"HOTLINE_WECHAT_SECRET": "s"}, "wechat_app_id"),
        ({"HOTLINE_WECHAT_MENU": "HOURS"}, "wechat_menu"),
        ({"HOTLINE_WECHAT_MENU": "A=1|A=2"}, "wechat_menu"),
        ({"HOTLINE_WECHAT_TEMPLATE": "thing1=text"}, "wechat_template"),
        ({"HOTLINE_WECHAT_TEMPLATE": "ID"}, "wechat_template"),
        ({"HOTLINE_WECHAT_TEMPLATE": "ID|thing1=text"}, "wechat_secret"),
        ({"HOTLINE_APP_TOKENS": "city-app"}, "app_tokens"),
        ({"HOTLINE_APP_TOKENS": "city-app:short"}, "app_tokens"),
        ({"HOTLINE_ARI_URL": "http://pbx:8088"}, "ari_user"),
        ({"HOTLINE_ARI_CALLER_ID": "东莞12345"}, "ari_caller_id"),
        ({"HOTLINE_ARI_APP": "东莞,x"}, "ari_app"),
    ],
)
def test_values_that_cannot_work_are_refused(tmp_path: Path, given: dict[str, str], named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        load(given, file=tmp_path / "none.toml")


@pytest.mark.parametrize(("name", "value"), [
    *[("dsn", f"postgresql://hotline:geh{sign}eim@db:5432/hotline") for sign in "/?#["],
    *[("reports_dsn", f"postgresql://hotline:geh{sign}eim@db:5432/hotline") for sign in "/?#["],
    ("app_tokens", "geheim geheim"), ("app_tokens", ":geheim"), ("ioc_tokens", "geheim geheim"),
    ("neighbours", "grid,http://grid,geheim geheim"), ("neighbours", "geheim geheim"),
])
def test_what_is_told_of_a_mistake_is_no_secret(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(InvalidInput, match=name) as refused:
        load({f"HOTLINE_{name.upper()}": value}, file=tmp_path / "none.toml")
    assert not re.search("geh|eim", refused.value.detail)


def test_a_secret_without_its_quotes_is_not_told(tmp_path: Path) -> None:
    (tmp_path / "hotline.toml").write_text("police_secret = 47114711\nhttp_port = 99999\n")
    with pytest.raises(InvalidInput, match="police_secret") as refused:
        load({}, file=tmp_path / "hotline.toml")
    assert ("4711" in refused.value.detail, "99999" in refused.value.detail) == (False, True)


@pytest.mark.parametrize("sign", "/?#[")
async def test_a_database_that_cannot_be_reached_is_named_without_its_password(sign: str) -> None:
    with pytest.raises(Unavailable) as refused:
        await open_pool(f"postgresql://hotline:geh{sign}eim@db:5432/hotline")
    assert not re.search("geh|eim", refused.value.detail)


def test_wechat_in_full_is_understood(tmp_path: Path) -> None:
    found = load({
        "HOTLINE_WECHAT_APP_ID": "wx1", "HOTLINE_WECHAT_SECRET": "s", "HOTLINE_WECHAT_AES_KEY": "k" * 43,
        "HOTLINE_WECHAT_PLAIN": "false", "HOTLINE_WECHAT_MENU": "A=一=1|B=二|",
        "HOTLINE_WECHAT_TEMPLATE": "ID | thing1=text|thing2=12345热线",
    }, file=tmp_path / "none.toml")
    assert found.wechat_plain is False
    assert pairs(found.wechat_menu) == {"A": "一=1", "B": "二"}
    assert template(found.wechat_template) == ("ID", {"thing1": "text", "thing2": "12345热线"})


@pytest.mark.parametrize("name", ["gone.toml", "."])
def test_a_file_that_is_named_must_be_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match=str(tmp_path)):
        load({"HOTLINE_CONFIG": str(tmp_path / name)})


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "hotline.toml"
    file.write_text("http_port = \n")
    with pytest.raises(InvalidInput, match=r"hotline\.toml"):
        load({}, file=file)


def test_app_tokens_are_read_by_name() -> None:
    assert Settings(app_tokens="a:secret-1, b:secret:2,").tokens() == {"a": "secret-1", "b": "secret:2"}


@pytest.mark.parametrize(("host", "base"), [
    ("127.0.0.1", "http://127.0.0.1:8080"), ("::1", "http://[::1]:8080"), ("hotline.example", "http://hotline.example:8080"),
])
def test_an_ipv6_host_stands_in_brackets_where_citizens_are_told_of_it(host: str, base: str) -> None:
    assert Settings(host=host).public_base == base


@pytest.mark.parametrize("origins", [
    "https://12345.gov.cn", "http://127.0.0.1:8080,http://[::1]:8080", "capacitor://localhost", "",
])
def test_origins_as_browsers_send_them_are_taken(tmp_path: Path, origins: str) -> None:
    assert load({"HOTLINE_ALLOWED_ORIGINS": origins}, file=tmp_path / "none.toml").allowed_origins == origins


@pytest.mark.parametrize(("public_url", "origin"), [
    ("https://12345.GOV.cn:443/hotline/", "https://12345.gov.cn"), ("http://10.0.0.1:8080", "http://10.0.0.1:8080"),
])
def test_our_own_pages_are_of_the_origin_that_browsers_send(public_url: str, origin: str) -> None:
    assert origins_of(Settings(public_url=public_url)) == {origin}
