"""A real Asterisk for a test: its own folders, ports and user inside the folder that install.sh makes."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import shutil
import subprocess
from pathlib import Path
from types import TracebackType

import aiohttp

from hotline.sounds import make_all
from routing.prompts import PROMPTS
from tests.ports import free_port, sound_ports

ROOT = Path(os.environ.get("HOTLINE_TEST_PBX", "/var/cache/hotline-asterisk"))
USER, PASSWORD = "hotline", "test-ari-password"

_MODULES = """[modules]
autoload=yes
noload=chan_iax2.so
noload=chan_unistim.so
noload=chan_motif.so
noload=chan_console.so
noload=res_phoneprov.so
noload=pbx_dundi.so
noload=pbx_ael.so
noload=pbx_lua.so
noload=cdr_odbc.so
noload=cel_odbc.so
noload=res_config_odbc.so
noload=res_hep.so
noload=app_jack.so
"""


class Pbx:
    """Use as an async context manager."""

    def __init__(self, *, rtp_timeout: int = 0, dials: int = 0) -> None:
        """`rtp_timeout`: seconds without sound after which the PBX gives an agent's telephone up; 0: never.

        `dials`: the port of ours that the PBX dials; 0: we dial it.
        """
        self._rtp_timeout, self.dials = rtp_timeout, dials
        name = f"hotline-pbx-{secrets.token_hex(4)}"
        self.home = ROOT / "var" / "tmp" / name
        self._inside = Path("/var/tmp") / name
        self.http_port, self.sip_port, self.sound = free_port(), free_port(), sound_ports()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def ari(self) -> str:
        """Base address of ARI."""
        return f"http://127.0.0.1:{self.http_port}/ari"

    @property
    def recordings(self) -> Path:
        """Where recordings lie."""
        return self.home / "spool" / "recording"

    def played(self, caller: int | None = None) -> list[str]:
        """Return the names of the sounds that were played, in order; with `caller`, to the so manyth that called."""
        log = self.home / "log" / "full.log"
        if not log.exists():
            return []
        found = re.findall(r"<PJSIP/anonymous-([0-9a-f]+)> Playing '([\w-]+)[.']", log.read_text(errors="replace"))
        return [name for number, name in found if caller is None or int(number, 16) == caller]

    async def __aenter__(self) -> Pbx:
        await asyncio.to_thread(self._prepare)
        try:
            await self.start()
        except BaseException:
            self.kill()  # nobody leaves a block that was not entered
            raise
        return self

    def _prepare(self) -> None:
        for part in ("etc", "lib", "spool", "run", "log", "spool/recording", "lib/documentation"):
            (self.home / part).mkdir(parents=True)
        make_all(self.home / "lib" / "sounds", PROMPTS, tones=True)
        for name, text in self._files().items():
            (self.home / "etc" / name).write_text(text, encoding="utf-8")
        # ARI describes its objects by files of the package.
        for part in ("rest-api", "documentation"):
            source = ROOT / "usr/share/asterisk" / part
            if source.is_dir():
                shutil.copytree(source, self.home / "lib" / part, dirs_exist_ok=True)
        subprocess.run(["chroot", ROOT, "chown", "-R", "asterisk:asterisk", self._inside], check=True)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()
        shutil.rmtree(self.home, ignore_errors=True)

    async def start(self) -> None:
        """Start and wait until ARI answers."""
        self._process = self._launched()
        log_in = {"Authorization": aiohttp.encode_basic_auth(USER, PASSWORD)}
        async with aiohttp.ClientSession(headers=log_in) as session, asyncio.timeout(60):
            while True:
                if self._process.poll() is not None:
                    raise RuntimeError(f"the PBX ended: {(self.home / 'console.log').read_text()[-2000:]}")
                try:
                    async with session.get(f"{self.ari}/asterisk/info") as answer:
                        if answer.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.1)

    def _launched(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            ["chroot", ROOT, "asterisk", "-f", "-U", "asterisk", "-G", "asterisk",
             "-C", self._inside / "etc" / "asterisk.conf"],
            stdout=(self.home / "console.log").open("ab"), stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        """Kill it, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _files(self) -> dict[str, str]:
        at = self._inside
        return {
            "asterisk.conf": (
                f"[directories](!)\n[directories]\nastetcdir => {at}/etc\nastvarlibdir => {at}/lib\n"
                f"astdbdir => {at}/lib\nastkeydir => {at}/lib\nastdatadir => {at}/lib\n"
                f"astagidir => {at}/lib\nastspooldir => {at}/spool\nastrundir => {at}/run\nastlogdir => {at}/log\n"
                f"[options]\nverbose = 3\n"
            ),
            "modules.conf": _MODULES,
            "logger.conf": "[general]\n[logfiles]\nfull.log => notice,warning,error,verbose\n",
            "http.conf": f"[general]\nenabled=yes\nbindaddr=127.0.0.1\nbindport={self.http_port}\n",
            "ari.conf": (
                f"[general]\nenabled=yes\n[{USER}]\ntype=user\nread_only=no\npassword={PASSWORD}\n" + (
                    "[ours]\ntype=outbound_websocket\nwebsocket_client_id=ours\napps=hotline\n"
                    f"local_ari_user={USER}\n" if self.dials else ""
                )
            ),
            "websocket_client.conf": (
                f"[ours]\ntype=websocket_client\nuri=ws://127.0.0.1:{self.dials}/ari\nprotocols=ari\n"
                f"username={USER}\npassword={PASSWORD}\nconnection_type=persistent\nreconnect_interval=200\n"
                if self.dials else ""
            ),
            "rtp.conf": f"[general]\nrtpstart={self.sound[0]}\nrtpend={self.sound[1]}\n",
            "musiconhold.conf": "[default]\nmode=files\ndirectory=moh\n",
            "pjsip.conf": (
                f"[udp]\ntype=transport\nprotocol=udp\nbind=127.0.0.1:{self.sip_port}\n"
                "[anonymous]\ntype=endpoint\nmedia_address=127.0.0.1\nbind_rtp_to_media_address=yes\ncontext=from-trunk\nlanguage=zh\ndtmf_mode=info\ndisallow=all\nallow=ulaw,alaw\ndirect_media=no\n"
                "[phones]\ntype=endpoint\nmedia_address=127.0.0.1\nbind_rtp_to_media_address=yes\ncontext=from-phones\ndisallow=all\nallow=ulaw,alaw\ndirect_media=no\n"
                f"rtp_timeout={self._rtp_timeout}\n"
            ),
            "extensions.conf": "[from-trunk]\nexten => _X.,1,Stasis(hotline)\n same => n,Hangup()\n[from-phones]\n",
        }
