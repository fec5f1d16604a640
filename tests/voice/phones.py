"""Telephones of citizens, agents and desks: sipp, each a process of its own."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.ports import free_port

_HEAD = '<?xml version="1.0" encoding="UTF-8"?><scenario name="phone">'
_OK = """<send retrans="500"><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[pid]t[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port];transport=[transport]>
Content-Type: application/sdp
Content-Length: [len]

v=0
o=phone 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
]]></send><recv request="ACK" optional="true" rtd="true" crlf="true"/>"""
_RINGING = """<recv request="INVITE"/><send><![CDATA[
SIP/2.0 180 Ringing
[last_Via:]
[last_From:]
[last_To:];tag=[pid]t[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port];transport=[transport]>
Content-Length: 0

]]></send>"""
_PLAIN_OK = """<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port];transport=[transport]>
Content-Length: 0

]]></send>"""
_DECLINED = """<send retrans="500"><![CDATA[
SIP/2.0 487 Request Terminated
[last_Via:]
[last_From:]
[last_To:];tag=[pid]t[call_number]
[last_Call-ID:]
CSeq: 1 INVITE
Content-Length: 0

]]></send>"""


def answering(*, after: int = 0) -> str:
    """Return the scenario of a telephone that answers after some milliseconds and waits to be hung up."""
    pause = f'<pause milliseconds="{after}"/>' if after else ""
    return f'{_HEAD}{_RINGING}{pause}{_OK}<recv request="BYE"/>{_PLAIN_OK}</scenario>'


def silent() -> str:
    """Return the scenario of a telephone that rings and is not answered."""
    return f'{_HEAD}{_RINGING}<recv request="CANCEL"/>{_PLAIN_OK}{_DECLINED}</scenario>'


def refusing(status: int, reason: str) -> str:
    """Return the scenario of a telephone that is busy, or of a number that does not exist."""
    answer = _DECLINED.replace("487 Request Terminated", f"{status} {reason}").replace("CSeq: 1 INVITE", "[last_CSeq:]")
    invite = _RINGING.split("<send>", maxsplit=1)[0]
    return f'{_HEAD}{invite}{answer}<recv request="ACK"/></scenario>'


_INVITE = """<send retrans="500"><![CDATA[
INVITE sip:12345@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:NUMBER@[local_ip]:[local_port]>;tag=[pid]c[call_number]
To: <sip:12345@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:NUMBER@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=citizen 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
]]></send><recv response="100" optional="true"/><recv response="180" optional="true"/>
<recv response="183" optional="true"/><recv response="200" rrs="true"/><send><![CDATA[
ACK [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
[routes]
From: <sip:NUMBER@[local_ip]:[local_port]>;tag=[pid]c[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>"""
_LATER = """<send retrans="500"><![CDATA[
METHOD [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
[routes]
From: <sip:NUMBER@[local_ip]:[local_port]>;tag=[pid]c[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: COUNT METHOD
Max-Forwards: 70
BODY
]]></send><recv response="200"/>"""


def calling(
    number: str, *, speaking: Path | None = None, presses: str = "", seconds: float, stays: float = 0.0
) -> str:
    """Return the scenario of a citizen who calls, says what a file holds (8 kHz µ-law), presses keys half way, and
    hangs up after so many seconds (and those of `stays`)."""
    said = f'<nop><action><exec rtp_stream="{speaking},-1,0,PCMU/8000"/></action></nop>' if speaking else ""
    keys = [
        _LATER.replace("METHOD", "INFO").replace("COUNT", str(n + 2)).replace(
            "BODY", f"Content-Type: application/dtmf-relay\nContent-Length: [len]\n\nSignal={key}\nDuration=160"
        )
        for n, key in enumerate(presses)
    ]
    bye = _LATER.replace("METHOD", "BYE").replace("COUNT", "90").replace("BODY", "Content-Length: 0\n")
    pause = f'<pause milliseconds="{int(seconds * 500)}"/>'
    last = f'<pause milliseconds="{int((seconds / 2 + stays) * 1000)}"/>'
    return f'{_HEAD}{_INVITE}{said}{pause}{"".join(keys)}{last}{bye}</scenario>'.replace("NUMBER", number)


def endpoint_at(port: int) -> str:
    """Return where the PBX rings a telephone on a port."""
    return f"PJSIP/phones/sip:phone@127.0.0.1:{port}"


async def _listens(port: int) -> None:
    """Wait until a telephone can be rung: one that is rung before is gone at once."""
    for _ in range(600):
        if f":{port:04X} " in Path("/proc/net/udp").read_text(encoding="ascii"):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"no telephone at {port}")


class Phones:
    """The telephones of a test. Use as an async context manager: leaving it hangs everything up."""

    def __init__(self, folder: Path, *, pbx_port: int) -> None:
        self._folder, self._pbx = folder, pbx_port
        self._running: list[asyncio.subprocess.Process] = []

    async def __aenter__(self) -> Phones:
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in self._running:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def phone(self, scenario: str, *, port: int = 0) -> tuple[str, asyncio.subprocess.Process]:
        """Switch a telephone on; return where the PBX rings it. `port`: where it is known to be, any without."""
        port = port or free_port()
        path = self._folder / f"phone-{port}.xml"
        path.write_text(scenario, encoding="utf-8")
        process = await self._sipp("-sf", str(path), "-p", str(port), "-mp", str(free_port()), "-rtp_echo")
        await _listens(port)
        return endpoint_at(port), process

    async def citizen(self, *, seconds: float, number: str = "13800000000") -> asyncio.subprocess.Process:
        """Call 12345; hang up after so many seconds."""
        return await self._sipp(
            "-sn", "uac", f"127.0.0.1:{self._pbx}", "-s", "12345", "-m", "1", "-d", str(int(seconds * 1000)),
            "-mp", str(free_port()),
        )

    async def call(self, scenario: str) -> asyncio.subprocess.Process:
        """Call 12345 as a scenario of `calling` says."""
        path = self._folder / f"call-{free_port()}.xml"
        path.write_text(scenario, encoding="utf-8")
        return await self._sipp(
            "-sf", str(path), f"127.0.0.1:{self._pbx}", "-m", "1", "-mp", str(free_port()), "-trace_err",
        )

    async def _sipp(self, *options: str) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            "sipp", *options, "-i", "127.0.0.1", "-nostdin", cwd=self._folder, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )
        self._running.append(process)
        return process
