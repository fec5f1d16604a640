"""Merged tickets whose parent has ended without an answer go their own way again, as a job carries it out."""

from __future__ import annotations

from typing import Protocol

import structlog

from hotline import commands as c
from hotline.errors import IllegalTransition, VersionConflict
from hotline.events import SYSTEM
from hotline.handoff import Acts
from hotline.ids import TicketId

log = structlog.get_logger(__name__)
REASON = "主单未予办理即结束,恢复单独办理"


class Children(Protocol):
    """Finds merged tickets (`hotline.store.relatives.RelativesStore`)."""

    async def children_of(self, parent: TicketId) -> list[str]:
        """Return the numbers of the tickets merged into one."""
        ...


class Families:
    """Frees orphans."""

    def __init__(self, *, children: Children, service: Acts) -> None:
        self._children, self._service = children, service

    async def free(self, key: str) -> None:
        """Unmerge every ticket merged into the one with the id `key`; one that is free already is passed over."""
        for number in await self._children.children_of(TicketId(int(key))):
            try:
                await self._service.act(number, c.Unmerge(reason=REASON), actor=SYSTEM)
            except (IllegalTransition, VersionConflict) as error:
                log.info("already_so", number=number, command="unmerge", detail=error.detail)
