"""The aids of the console over the core: the directory in force, the model, and who looks at what."""

from __future__ import annotations

from agent_ui.aid_requests import Aids
from agent_ui.aids import CategoryTerm, CityTerms, QueueTerm
from hotline.core import Core
from hotline.store.looks import LookStore


def aids_of(core: Core) -> Aids:
    """Return the aids; without a model at hand (`core.explain`) no category is explained."""
    categories = tuple(CategoryTerm(l1=one.l1, l1_name=one.l1_name, l2=one.l2) for one in core.city.categories)

    def terms() -> CityTerms:
        units = core.rules().directory.units
        return CityTerms(
            city=core.city.name, categories=categories, units=tuple(units),
            towns=tuple(unit.name for unit in units.values() if unit.is_place),
            queues=tuple(
                QueueTerm(name=name, title=one.title or name) for name, one in core.queues.centre.queues.items()
            ),
        )

    return Aids(
        terms=terms, directory=lambda: core.rules().directory, looks=LookStore(core.pool), clock=core.clock,
        explain=core.explain,
    )
