"""Roles: the edges that a process starts over its core.

    intake   HTTP: channels, pages, log-in      gateway  the console's WebSocket
    jobs     pushes, messages, sweeps           call     the PBX, chats to agents
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from enum import StrEnum

from hotline.core import Core
from hotline.roles.call import call_role
from hotline.roles.gateway import gateway_role
from hotline.roles.intake import intake_role
from hotline.roles.jobs import jobs_role


class Role(StrEnum):
    """What a process does."""

    INTAKE = "intake"
    GATEWAY = "gateway"
    JOBS = "jobs"
    CALL = "call"


ROLES: dict[Role, Callable[[Core], AbstractAsyncContextManager[None]]] = {
    Role.INTAKE: intake_role, Role.GATEWAY: gateway_role, Role.JOBS: jobs_role, Role.CALL: call_role,
}
