"""A trial on one machine (`serve --demo`): demo accounts, demo secrets, a 110 desk, and a page that says where to go.

Only for looking: the secrets are printed and the same everywhere. Whatever is set in the configuration is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
from aiohttp import web

from agent_ui.accounts import Accounts
from agent_ui.staff import Staff, StaffRole
from hotline.config import Settings
from hotline.core import Core
from hotline.errors import InvalidInput, Unavailable
from hotline.library import plant
from hotline.listening import check_free
from hotline.seeds import read_seeds
from hotline.standins.desk110 import Desk
from hotline.standins.sms import SmsStandIn
from routing.directory import Directory

PASSWORD = "dongguan-12345"  # noqa: S105 - printed on the first page: a demo account, not a secret
DESK_PORT = 9110
SMS_PORT = 9130
_DEFAULTS = {
    "app_tokens": "demo:demo-token-12345",
    "ioc_tokens": "ioc:demo-ioc-12345",
    "wechat_token": "demo-wechat-token",
    "police_secret": "demo-police-secret",
    "sms_secret": "demo-sms-secret",
    "neighbours": (
        "440100=广州12345,,demo-city-secret|grid=智网工程,http://127.0.0.1:9120,demo-grid-secret"
        "|portal=粤省事,,demo-portal-secret|wishes=民生大莞家,,demo-wishes-secret|data=数据平台,,demo-data-secret"
    ),
}
STAFF = (
    Staff(name="agent", display_name="坐席 李敏", role=StaffRole.AGENT),
    Staff(name="agent2", display_name="坐席 陈刚", role=StaffRole.AGENT),
    Staff(name="supervisor", display_name="班长 王芳", role=StaffRole.SUPERVISOR),
    Staff(name="system", display_name="系统管理员 周伟", role=StaffRole.SYSTEM_ADMIN),
    Staff(name="security", display_name="安全管理员 孙丽", role=StaffRole.SECURITY_ADMIN),
    Staff(name="audit", display_name="审计管理员 吴静", role=StaffRole.AUDIT_ADMIN),
)


def trial_settings(settings: Settings) -> Settings:
    """Fill in what a trial needs and the configuration leaves empty."""
    missing: dict[str, str | int] = {
        name: value for name, value in _DEFAULTS.items() if not getattr(settings, name)
    }
    missing["webhook_networks"] = settings.webhook_networks or "127.0.0.0/8"  # for `hotline unitdesk`
    missing["second_factor"] = ""  # whoever tries it out may enrol one
    missing["citizen_rate"] = 0
    missing["web_rate"] = max(settings.web_rate, 6000)  # one machine stands for a whole city
    return msgspec.structs.replace(settings, **missing)


@asynccontextmanager
async def trial_desk(settings: Settings) -> AsyncIterator[Settings]:
    """Run a 110 desk and an SMS gateway beside the service while the block lasts, where none is configured.

    Gives settings that name them.
    """
    async with AsyncExitStack() as stack:
        if not settings.police_url:
            app = Desk(secret=settings.police_secret, hotline=settings.public_base).app()
            url = await stack.enter_async_context(_beside("the 110 desk", app, DESK_PORT))
            settings = msgspec.structs.replace(settings, police_url=url)
        if not settings.sms_url:
            app = SmsStandIn(secret=settings.sms_secret).app()
            url = await stack.enter_async_context(_beside("the SMS gateway", app, SMS_PORT))
            settings = msgspec.structs.replace(settings, sms_url=f"{url}/sms")
        yield settings


@asynccontextmanager
async def _beside(name: str, app: web.Application, port: int) -> AsyncIterator[str]:
    """Serve an application while the block lasts, on its usual port or any if that is taken; give its address."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", _free(name, port)).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _free(name: str, port: int) -> int:
    try:
        check_free(name, "127.0.0.1", port)
    except Unavailable:
        return 0
    return port


def busiest(directory: Directory) -> str:
    """Return the unit that leads most of the directory's rules: at its desk there is something to see."""
    leads = Counter(rule.lead for rules in directory.rules.values() for rule in rules if rule.lead in directory.units)
    return leads.most_common(1)[0][0] if leads else next(iter(directory.units))


async def trial_staff(accounts: Accounts, unit: str) -> list[Staff]:
    """Make the demo accounts that are not there yet, one of the department `unit` among them; return all."""
    everybody = [
        *STAFF, Staff(name="department", display_name=unit, role=StaffRole.DEPARTMENT, department=unit),
    ]
    for staff in everybody:
        try:
            await accounts.add_staff(staff, PASSWORD)
        except InvalidInput as error:
            if error.error_id != "name_taken":
                raise
    return everybody


async def trial_articles(core: Core, staff: list[Staff]) -> None:
    """Publish the city's demo articles that are not there yet."""
    file = Path(core.settings.city_dir) / "knowledge.jsonl"
    if file.exists():
        supervisor = next(one for one in staff if one.role is StaffRole.SUPERVISOR)
        await plant(core.library, supervisor, read_seeds(file, units=core.city.directory.units))


def banner(settings: Settings, staff: list[Staff], *, city: str) -> str:
    """Return what a newcomer needs: addresses, log-ins, and a first appeal. `settings` with the desk."""
    base = settings.public_base
    lines = [
        "", f"  {city}12345 政务服务便民热线 · 演示环境", "",
        f"  市民页面     {base}/",
        f"  坐席工作台   {base}/console",
        f"  承办单位     {base}/desk",
        f"  班长大屏     {base}/board",
        f"  系统管理     {base}/admin",
        f"  接口文档     {base}/openapi.json",
        f"  坐席长连接   ws://{settings.at(settings.ws_port)}/",
    ]
    if settings.police_url.startswith("http://127.0.0.1:"):
        lines.append(f"  110模拟台    {settings.police_url}/incidents")
    if settings.sms_url.startswith("http://127.0.0.1:"):
        lines.append(f"  短信模拟台   {settings.sms_url.removesuffix('/sms')}/messages")
    lines += ["", f"  账号(密码都是 {PASSWORD})"]
    lines += [f"    {one.name:<11} {one.role:<15} {one.display_name}" for one in staff]
    token = settings.app_tokens.partition(",")[0].partition(":")[2]
    lines += [
        "", "  试一试", f"    curl -s {base}/api/v1/appeals -H 'Authorization: Bearer {token}' "
        "-H 'Idempotency-Key: first-1' \\", """      -d '{"text":"南城体育路的路灯坏了三天,晚上很黑"}'""", "",
        "  Ctrl-C 停止服务(内置数据库继续运行,make stop 停止)", "",
    ]
    return "\n".join(lines)
