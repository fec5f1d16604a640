"""Figures for `/metrics`: log-ins of staff; the gateway's consoles, how many were dropped and why, how far it lags."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import Counter, Gauge

LOG_INS = Counter("hotline_log_ins", "Log-ins of staff, by outcome: ok, or the refusal's error_id", ["outcome"])
CONSOLES = Gauge("hotline_consoles", "Consoles connected to this gateway")
DROPPED = Counter("hotline_consoles_dropped", "Consoles that the gateway ended, by reason", ["reason"])
CONNECTED = Gauge("hotline_event_feed_connected", "1 while the event log can be read")
HELD_BACK = Gauge(
    "hotline_event_feed_held_back_seconds",
    "Age of the oldest committed event that an open transaction hides; raise an alarm on it",
)


def publish(*, consoles: Callable[[], float], connected: Callable[[], float], held_back: Callable[[], float]) -> None:
    """Show the figures of this process's gateway from now on."""
    CONSOLES.set_function(consoles)
    CONNECTED.set_function(connected)
    HELD_BACK.set_function(held_back)
