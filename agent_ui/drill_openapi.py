"""The routes from numbers to what stands behind them, as the OpenAPI document tells them."""

from __future__ import annotations

from agent_ui.drill_api import MAX_PAGE, MAX_TEXTS, HotSpotList, Terms
from channels.openapi_document import Operation
from hotline.drill import Side
from hotline.drill_views import CallPage, CallSide, DrillPage, Heat, RowPage, ToldList

_JSON = "application/json"
_TAG = "指标"
_AUTH = ("unauthenticated", "forbidden", "unavailable")
_PAGE = {"cursor": "`next` of the page before", "limit": f"1 to {MAX_PAGE}; default 50"}
_ASKED = ("from", "to", "by", "department", "town", "channel", "kind", "agent")

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="get", path="/api/v1/figures/tickets", tag=_TAG, security=("staff",), errors=_AUTH,
        summary="The tickets behind a figure: what the pages list adds up to the figure itself",
        parameters=_ASKED, answers={200: (_JSON, DrillPage)}, query={
            "figure": "a volume or a metric of tickets (docs/metrics.md)", "part": "of `by`, as the figure names it",
            "side": f"{', '.join(Side)}; default num", **_PAGE,
        },
    ),
    Operation(
        method="get", path="/api/v1/figures/standing", tag=_TAG, security=("staff",), errors=_AUTH,
        summary="The tickets that stand in a state now", parameters=("department", "town"),
        answers={200: (_JSON, RowPage)},
        query={"state": "a state of the lifecycle", "late": "yes or no: whether its clock has run out", **_PAGE},
    ),
    Operation(
        method="get", path="/api/v1/figures/calls", tag=_TAG, security=("staff",), errors=_AUTH,
        summary="The calls behind a telephone figure, of days or of the last 24 hours; telephones masked",
        parameters=("from", "to", "agent"), answers={200: (_JSON, CallPage)},
        query={"side": f"{', '.join(CallSide)}; default asked", **_PAGE},
    ),
    Operation(
        method="get", path="/api/v1/figures/heat", tag=_TAG, security=("staff",), errors=_AUTH,
        summary="Appeals by town and category", parameters=("from", "to", "channel", "kind"),
        answers={200: (_JSON, Heat)}, query={"l1": "a first level, to tell its second levels apart"},
    ),
    Operation(
        method="get", path="/api/v1/hot-spots", tag=_TAG, security=("staff",), errors=_AUTH,
        summary="Hot spots: active, or ended within a day", answers={200: (_JSON, HotSpotList)},
    ),
    Operation(
        method="get", path="/api/v1/hot-spots/texts", tag=_TAG, security=("staff",), errors=_AUTH,
        summary="What citizens wrote in some tickets, personal data masked", answers={200: (_JSON, ToldList)},
        query={"numbers": f"1 to {MAX_TEXTS} ticket numbers, by comma"},
    ),
    Operation(
        method="get", path="/api/v1/terms", tag=_TAG, security=("staff",), errors=_AUTH,
        summary="The city's categories, towns and units, for filters", answers={200: (_JSON, Terms)},
    ),
)
