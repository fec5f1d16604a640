"""延期, the small machine beside the lifecycle: none → requested → granted or refused, once.

Rules (domain.md section 4): asked for before expiry, no longer than the original limit, never for P1 or P2. A request
is its department's: it lapses when the ticket leaves the department, or is replied to, before it was decided on.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from hotline import commands as c
from hotline.errors import IllegalTransition
from hotline.terms import State

ExtensionCommand = c.RequestExtension | c.GrantExtension | c.RefuseExtension


class Extension(StrEnum):
    """States of an extension."""

    NONE = "none"
    REQUESTED = "requested"
    GRANTED = "granted"
    REFUSED = "refused"


EXTENSION_TRANSITIONS: Mapping[Extension, Mapping[type[ExtensionCommand], Extension]] = {
    Extension.NONE: {c.RequestExtension: Extension.REQUESTED},
    Extension.REQUESTED: {c.GrantExtension: Extension.GRANTED, c.RefuseExtension: Extension.REFUSED},
    Extension.GRANTED: {},
    Extension.REFUSED: {},
}


AT_ITS_UNIT = frozenset({State.HANDLING, State.NEED_INFO})
"""Where a request stands, and may be granted."""


def extension_after(extension: Extension, command: c.Command, state: State) -> Extension | None:
    """Return what a command that leads to `state` makes of the extension, None: nothing. Raises IllegalTransition."""
    if isinstance(command, c.RequestExtension | c.GrantExtension | c.RefuseExtension):
        return next_extension(extension, command)
    lapses = extension is Extension.REQUESTED and state not in AT_ITS_UNIT
    return Extension.NONE if lapses else None


def next_extension(extension: Extension, command: ExtensionCommand) -> Extension:
    """Return the extension's next state; raises IllegalTransition."""
    ways = EXTENSION_TRANSITIONS[extension]
    if type(command) not in ways:
        raise IllegalTransition(f"an extension that is {extension} cannot {c.tag_of(type(command))}")
    return ways[type(command)]
