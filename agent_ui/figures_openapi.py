"""The routes of figures for staff, as the OpenAPI document tells them."""

from __future__ import annotations

from agent_ui.figures_api import ExclusionBody, ExclusionMade, ExclusionPage, FigureList
from channels.openapi_document import Operation
from hotline.metric_views import Live

_JSON = "application/json"
_TAG = "指标"
_AUTH = ("unauthenticated", "forbidden", "unavailable")
_FIGURES, _EXCLUSIONS = "/api/v1/figures", "/api/v1/figures/exclusions"

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="get", path=_FIGURES, tag=_TAG, security=("staff",), errors=_AUTH,
        summary="Volumes and metrics of a time, split by something, with numerator and denominator; JSON, CSV or XLSX",
        parameters=("from", "to", "by", "department", "town", "channel", "kind", "agent", "format"),
        answers={200: (_JSON, FigureList)},
    ),
    Operation(
        method="get", path=f"{_FIGURES}/live", tag=_TAG, security=("staff",), errors=_AUTH, parameters=("town",),
        summary="The figures of this moment, at most a second old; a department gets its own",
        answers={200: (_JSON, Live)},
    ),
    Operation(
        method="get", path=f"{_FIGURES}/report", tag=_TAG, security=("staff",), errors=_AUTH, parameters=("month",),
        summary="A month's report as a page ready to print", answers={200: ("text/html", {"type": "string"})},
    ),
    Operation(
        method="get", path=_EXCLUSIONS, tag=_TAG, security=("staff",), errors=_AUTH,
        summary="Exclusions (剔除), the newest first; JSON, CSV or XLSX",
        parameters=("of_number", "metric", "before", "limit", "format"), answers={200: (_JSON, ExclusionPage)},
    ),
    Operation(
        method="post", path=_EXCLUSIONS, tag=_TAG, security=("staff",),
        errors=(*_AUTH, "not_found", "rule_violation", "unsupported_media_type"),
        summary="Leave a ticket out of a metric with a reason, or count it again; kept for ever",
        body={_JSON: ExclusionBody}, answers={201: (_JSON, ExclusionMade)},
    ),
)
