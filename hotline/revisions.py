"""Things that a process keeps in memory, read anew when the database tells that they changed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping


class Watcher:
    """Compares revisions and reloads what has a new one; asked once a second it costs one look at a few rows."""

    def __init__(
        self, revisions: Callable[[], Awaitable[Mapping[str, int]]], loads: Mapping[str, Callable[[], Awaitable[None]]]
    ) -> None:
        self._revisions, self._loads = revisions, loads
        self._seen: dict[str, int] = {}

    async def step(self) -> None:
        """Look once. A load that fails is tried again at the next look, as its revision is not noted."""
        for name, revision in (await self._revisions()).items():
            if name in self._loads and self._seen.get(name) != revision:
                await self._loads[name]()
                self._seen[name] = revision
