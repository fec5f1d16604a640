"""延期, the small machine beside the lifecycle: none → requested → granted or refused, once.

Rules (domain.md section 4): asked for before expiry, no longer than the original limit, never for P1 or P2.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from hotline import commands as c
from hotline.errors import IllegalTransition

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


def next_extension(extension: Extension, command: ExtensionCommand) -> Extension:
    """Return the extension's next state; raises IllegalTransition."""
    ways = EXTENSION_TRANSITIONS[extension]
    if type(command) not in ways:
        raise IllegalTransition(f"an extension that is {extension} cannot {c.tag_of(type(command))}")
    return ways[type(command)]
