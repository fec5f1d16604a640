"""Passwords: argon2id, checked in threads of their own, as each check takes tens of milliseconds of a core."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from agent_ui.identity import MAX_LENGTH, MIN_LENGTH
from hotline.errors import InvalidInput, Overloaded


class Passwords:
    """Hashes and checks. `waiting`: checks that may wait before more are refused; each needs 64 MiB while it runs."""

    def __init__(self, *, hasher: PasswordHasher | None = None, threads: int = 2, waiting: int = 64) -> None:
        self._hasher = hasher or PasswordHasher()
        self._threads = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="passwords")
        self._running, self._most = 0, threads + waiting
        self._nobody = self._hasher.hash("nobody has this password")

    def hash(self, password: str) -> str:
        """Return the hash to keep. Blocking. Raises InvalidInput for a password that is too short or too long."""
        if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
            raise InvalidInput(f"a password has {MIN_LENGTH} to {MAX_LENGTH} characters")
        return self._hasher.hash(password)

    async def hashed(self, password: str) -> str:
        """Return the hash to keep, made in a thread. Raises InvalidInput as `hash` does."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.hash, password)

    async def matches(self, kept: str | None, password: str) -> bool:
        """Tell whether the password is right; takes as long when there is no hash to compare with (None).

        Raises:
            Overloaded: too many log-ins at once.
        """
        if self._running >= self._most:
            raise Overloaded("too many people are logging in at once; try again in a moment", retry_after=3)
        self._running += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, self._verify, kept, password[: MAX_LENGTH + 1])
        finally:
            self._running -= 1

    def _verify(self, kept: str | None, password: str) -> bool:
        try:
            right = self._hasher.verify(kept or self._nobody, password)
        except (VerificationError, InvalidHashError):
            return False
        return right and kept is not None
