"""The OpenAPI document of every route that this house serves."""

from __future__ import annotations

from agent_ui import openapi as log_in
from agent_ui import person_api, proposals_api, recordings_api, unit_openapi
from channels import openapi
from hotline import web as house
from hotline.roles import citizens, figures, neighbours, setup


def openapi_document() -> bytes:
    """Return the document as JSON; `/openapi.json` serves it, the pages' types are made from it."""
    return openapi.rendered(
        *citizens.OPERATIONS, *log_in.OPERATIONS, *unit_openapi.OPERATIONS, *proposals_api.OPERATIONS,
        *recordings_api.OPERATIONS, *person_api.OPERATIONS, *neighbours.OPERATIONS, *figures.OPERATIONS,
        *setup.OPERATIONS, *house.OPERATIONS,
        types=unit_openapi.TYPES, webhooks=unit_openapi.WEBHOOKS,
    )
