"""What consoles ask of the knowledge base: articles that fit, and one article."""

from __future__ import annotations

from typing import assert_never

from agent_ui.protocol import Consult, Ok, ReadArticle
from hotline.errors import Unavailable
from hotline.library import Library

KnowledgeAsk = Consult | ReadArticle


async def answer_knowledge(library: Library | None, ask: KnowledgeAsk) -> Ok:
    """Return the answer to one request; raises Unavailable where there is no knowledge base, NotFound, InvalidInput."""
    if library is None:
        raise Unavailable("there is no knowledge base here")
    match ask:
        case Consult(words=True):
            return Ok(id=ask.id, hits=tuple(library.search(ask.text, department=ask.department, limit=ask.limit)))
        case Consult():
            found = library.suggest(ask.text, l1=ask.l1, l2=ask.l2, limit=ask.limit)
            return Ok(id=ask.id, hits=tuple(found))
        case ReadArticle():
            return Ok(id=ask.id, article=await library.article(ask.article))
        case _:
            assert_never(ask)
