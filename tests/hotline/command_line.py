"""`python -m hotline …` as a process of its own."""

from __future__ import annotations

import asyncio
import os
import sys

import msgspec

NOWHERE = "postgresql://hotline:geheim@127.0.0.1:9/hotline"


class Ended(msgspec.Struct, frozen=True):
    """A command that has ended."""

    code: int
    out: str
    err: str


async def hotline(*arguments: str, given: bytes = b"", **variables: str) -> Ended:
    """Run `python -m hotline …`; the variables are those after HOTLINE_, in small letters."""
    own = {f"HOTLINE_{name.upper()}": value for name, value in variables.items()}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HOTLINE_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hotline", *arguments, env=inherited | own, stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        out, err = await process.communicate(given)
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())
