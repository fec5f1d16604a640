"""`openapi`: print the HTTP interface."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from hotline.cli.base import command


def add(commands: Any) -> None:
    """Add the command."""
    command(
        commands, "openapi", run, summary="print the OpenAPI document of all HTTP routes, as /openapi.json serves it",
        example="python -m hotline openapi > openapi.json",
    )


def run(given: argparse.Namespace) -> int:
    """Print it."""
    from hotline.roles.document import openapi_document

    sys.stdout.write(openapi_document().decode() + "\n")
    return 0
