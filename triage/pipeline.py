"""The triage of a batch of texts: rules, model, place and entities put together. Never raises on odd input.

    texts ─ normalise ─┬─ rules ──────► verdict, services, evidence ─┐
                       ├─ model ──────► category, kind, verdict, services ─► judge ─► directory ─► Triage
                       ├─ gazetteer ──► towns ───────────────────────┤
                       └─ entities ──────────────────────────────────┘
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import structlog

from hotline.appeal import Category, Entity, Evidence, Triage
from hotline.city import City
from hotline.ids import DepartmentCode
from hotline.terms import Kind, Verdict
from routing.directory import Directory
from routing.dispatch import Dispatch, choose_department
from routing.priority import priority_of
from triage.anchors import anchors
from triage.card import Card
from triage.encoder import Blend, load_blend
from triage.entities import entities_in
from triage.explain import explain
from triage.gazetteer import load_gazetteer
from triage.judge import (
    Choice,
    Leads,
    asked,
    choose,
    graver,
    helping,
    leads_of,
    model_evidence,
    raised,
    rule_evidence,
    services_for,
)
from triage.lexicon import Hit, cues, dangers
from triage.linear import LinearModel, Scores, load_linear
from triage.match import Batch, Together
from triage.matters import words
from triage.opinion import Opinions, Use
from triage.passages import Passage, alarms, glimpsed, read
from triage.place import Gazetteer, Mention, happened
from triage.rules import Assessment, assess_all, readable
from triage.text import Text, legible, normalise
from triage.title import titles_in

log = structlog.get_logger(__name__)
SHORTEST = 2
"""Characters below which nothing can be judged."""
_CHUNK = 256


class Units(NamedTuple):
    """Units of the directory for one category, kind and place."""

    lead: DepartmentCode
    assisting: tuple[DepartmentCode, ...]


class Pipeline:
    """Triages texts. Holds no state between calls besides a small cache of directory look-ups."""

    def __init__(
        self, city: City, gazetteer: Gazetteer, model: LinearModel, careful: Blend | None = None, use: Use = Use.AUTO
    ) -> None:
        self._city = city
        self._linear = model
        self._cut = careful.encoder.words if careful else None
        self._gazetteer = gazetteer
        self._together = Together((dangers().matcher, cues().matcher, anchors(), words(), gazetteer.matcher))
        self._opinions = Opinions(model, careful, use)
        self._category, kinds, _, services = model.card.heads
        self._kinds = kinds.labels
        self._helps = helping(kinds.labels)
        self._services = services.labels
        self._directory: Callable[[], Directory] = lambda: city.directory
        # Who names the city in which all of it lies tells nothing by that; texts that do are mostly about other cities.
        self._here = re.compile(f"{re.escape(city.name)}市?")
        self._units = lru_cache(maxsize=8192)(self._look_up)  # by the version too, so that a new one is looked up anew
        self._leads = lru_cache(maxsize=2)(self._grouped)

    @classmethod
    def load(cls, city: City, model_dir: Path, *, encoder: Use = Use.ALWAYS) -> Self:
        """Read the city's gazetteer and the models.

        Args:
            encoder: whether the encoder is asked too, where there is one.

        Raises:
            InvalidInput: a file is missing or wrong; says which.
        """
        linear = load_linear(model_dir)
        careful = None if encoder is Use.OFF else load_blend(model_dir, linear)
        made = cls(city, load_gazetteer(city.places, city.name), linear, careful, encoder)
        if strange := made.strange_labels:
            log.warning("model_of_other_categories", labels="、".join(strange), mend="python -m hotline train")
        return made

    @property
    def version(self) -> str:
        """Return the version of the model."""
        return self._opinions.best.card.version

    @property
    def strange_labels(self) -> list[str]:
        """Return the categories that the model names and the city does not have, or the other way round."""
        return sorted({label.l1 + label.l2 for label in self._city.categories} ^ set(self._category.labels))

    def explain(self, text: str, label: str, rivals: Sequence[str] = ()) -> tuple[Evidence, ...]:
        """Return the words that speak for a category (`l1 + l2`) against its rivals; see `triage.explain`."""
        return explain(self._linear, text, label, rivals, cut=self._cut)

    def towns_in(self, address: str) -> tuple[str, ...]:
        """Return the towns that an address lies in: no model is asked for that."""
        return self._gazetteer.towns(normalise([address])[0].clean)

    def follow(self, directory: Callable[[], Directory]) -> None:
        """Weigh and name units by the version of the directory that this returns, not by the newest in the files."""
        self._directory = directory

    def __call__(self, texts: Sequence[str]) -> list[Triage]:
        """Return one `Triage` per text, in order."""
        found: list[Triage] = []
        for start in range(0, len(texts), _CHUNK):
            found.extend(self._chunk(texts[start : start + _CHUNK]))
        return found

    def _chunk(self, texts: Sequence[str]) -> list[Triage]:
        clean = normalise(texts)
        batch = self._together.search([text.clean for text in clean])
        heard = dangers().find(batch)
        model, scores = self._opinions([self._here.sub("", text) for text in map(readable, batch.texts, heard)])
        unread = {row for row, text in enumerate(batch.texts) if not legible(text)}
        scores = scores.silent(sorted(unread))
        card, category = model.card, model.card.heads[0]
        leads = self._leads(self._directory().version)
        choices = choose(category, scores.category, scores.category @ leads.table, leads.unit_of, card.thresholds)
        mentions = self._gazetteer.mentions(batch)
        alarming = self._alarming(batch, scores, unread, heard)
        suspected = np.flatnonzero(scores.verdict[:, 0] + scores.verdict[:, 1] > card.thresholds.doubt).tolist()
        judged = zip(
            clean,
            assess_all(batch, suspected, heard),
            [None if row in unread else choice for row, choice in enumerate(choices)],
            scores.kind.tolist(),
            scores.verdict.tolist(),
            scores.services.tolist(),
            [alarming.get(row) for row in range(len(clean))],
            mentions,
            entities_in(clean, batch, [[mention.start for mention in found] for found in mentions]),
            [card] * len(clean),
            titles_in(batch),
            strict=True,
        )
        return [self._judge(*one) for one in judged]

    def _judge(
        self,
        text: Text,
        assessment: Assessment,
        choice: Choice | None,
        kinds: list[float],
        chances: list[float],
        services: list[float],
        passage: Passage | None,
        mentions: list[Mention],
        entities: tuple[Entity, ...],
        card: Card,
        title: str,
    ) -> Triage:
        if len(text.clean.strip()) < SHORTEST:
            return Triage(category=None, needs_person=True, title=text.raw.strip(), model=card.version)
        category, limits = choice.category if choice else None, card.thresholds
        if passage and graver(passage.said, assessment):
            assessment = passage.said._replace(lean=assessment.lean)
        told = passage if passage and passage.chance >= limits.passage_unclear else None
        verdict, alone = raised(assessment, chances, limits, kinds[self._helps], told.chance if told else 0.0)
        kind = asked(self._kinds, kinds, verdict)
        calm = verdict is Verdict.NON_EMERGENCY
        towns = happened(mentions)
        version = self._directory().version
        sure = choice.category if choice and choice.sure else None
        units = self._units(version, sure.l1, sure.l2, kind, towns) if sure else None
        return Triage(
            category=category,
            alternatives=choice.alternatives if choice else (),
            kind=kind,
            verdict=verdict,
            services=() if calm else services_for(assessment, self._services, told.services if told else services),
            towns=towns,
            department=units.lead if units else DepartmentCode(""),
            assisting=units.assisting if units else (),
            priority=priority_of(verdict, category.l2 if category else "", kind, self._city.priorities),
            entities=entities,
            needs_person=units is None,
            evidence=() if calm else self._evidence(text, assessment, alone, card.version, told),
            title=title,
            model=card.version,
            sure=sure is not None,
        )

    def _alarming(
        self, batch: Batch, scores: Scores, unread: Collection[int], hits: list[list[Hit]]
    ) -> dict[int, Passage]:
        """Return the most alarming passage of each long text in which there is a glimpse of danger."""
        rows = [row for row in glimpsed(batch.texts, scores.verdict, hits) if row not in unread]
        reading = read(batch.texts, rows, hits)
        if not reading.passages:
            return {}
        verdict, services = self._linear.danger(reading.passages)
        return {
            row: Passage(alarm.chance, reading.spans[alarm.place], services[alarm.place].tolist(), alarm.said)
            for row, alarm in alarms(reading, verdict[:, 0]).items()
        }

    def _grouped(self, _version: str) -> Leads:
        return leads_of(self._category.labels, self._directory())

    def _look_up(self, _version: str, l1: str, l2: str, kind: Kind, towns: tuple[str, ...]) -> Units | None:
        asked = Triage(category=Category(l1, l2, 1.0), kind=kind, towns=towns)
        match choose_department(asked, self._directory()):
            case Dispatch(lead=lead, assisting=assisting):
                return Units(lead, assisting)
            case _:
                return None

    def _evidence(
        self, text: Text, assessment: Assessment, alone: bool, version: str, told: Passage | None
    ) -> tuple[Evidence, ...]:
        said = rule_evidence(text, assessment)
        return said + model_evidence(text, version, self._alarm, told.span if told else None) if alone else said

    def _alarm(self, sentences: list[str]) -> list[float]:
        """The sentence is shown, not judged by: the linear model will do."""
        verdict, _ = self._linear.danger(sentences)
        alarm: list[float] = (verdict[:, 0] + verdict[:, 1] / 2).tolist()
        return alarm
