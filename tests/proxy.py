"""A TCP proxy that can be slow, silent or broken: what a network and a struggling server do, for tests."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType

from tests.ports import free_port


class Proxy:
    """Passes bytes on to a port of this machine. `delay` (seconds) and `silent` may be changed at any time."""

    def __init__(self, target: int) -> None:
        self.target, self.port = target, free_port()
        self.delay, self.silent = 0.0, False
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """Break every connection."""
        for writer in list(self._writers):
            writer.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.close()
            self._writers.discard(writer)
            return
        self._writers.add(back)
        await asyncio.gather(self._pass(reader, back), self._pass(there, writer), return_exceptions=True)
        self._writers -= {writer, back}

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                while self.silent:
                    await asyncio.sleep(0.05)
                if self.delay:
                    await asyncio.sleep(self.delay)
                writer.write(data)
                await writer.drain()
        with contextlib.suppress(OSError):
            writer.close()
