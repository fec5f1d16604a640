"""The centre as a TOML file, for `python -m hotline queues`: queues, and who knows what. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from hotline.errors import UNREADABLE, InvalidInput
from routing.queue_plan import Centre, Queue, checked
from routing.queueing import BEST, WORST

Level = Annotated[int, Meta(ge=BEST, le=WORST)]


class AgentPhone(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where an agent is rung ("": they take chats only), and what they know: skills with levels, 1 the best."""

    endpoint: Annotated[str, Meta(max_length=200)]
    skills: dict[str, Level]


class CentreFile(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says. `agents` by log-in name; those it does not name stay as they are."""

    centre: Centre
    agents: Mapping[str, AgentPhone]


def read_file(text: str) -> CentreFile:
    """Return what a file says. Raises InvalidInput with what to mend."""
    try:
        values = tomllib.loads(text)
        agents = msgspec.convert(values.pop("agents", {}), dict[str, AgentPhone])
        return CentreFile(centre=checked(msgspec.convert(values, Centre)), agents=agents)
    except UNREADABLE as error:
        raise InvalidInput(f"the file cannot be read: {error}", error_id="queues") from error


def write_file(file: CentreFile) -> str:
    """Return the file's text; `read_file` gives the same back."""
    return "\n".join(_lines(file)) + "\n"


def _lines(file: CentreFile) -> Iterator[str]:
    centre = file.centre
    yield "# Queues of the telephone: python -m hotline queues import FILE (docs/voice.md)"
    for field in msgspec.structs.fields(Centre):
        if field.name != "queues":
            yield f"{field.name} = {_value(getattr(centre, field.name))}"
    for name, queue in centre.queues.items():
        yield ""
        yield f"[queues.{_key(name)}]"
        yield from (f"{key} = {_value(getattr(queue, key))}" for key in Queue.__struct_fields__)
    for name, agent in file.agents.items():
        yield ""
        yield f"[agents.{_key(name)}]"
        yield f"endpoint = {_value(agent.endpoint)}"
        yield f"skills = {_value(agent.skills)}"


def _key(name: str) -> str:
    plain = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if plain else msgspec.json.encode(name).decode()


def _value(value: Any) -> str:
    match value:
        case str():
            return msgspec.json.encode(value).decode()  # every JSON string is a basic string of TOML
        case tuple() | list():
            return "[" + ", ".join(_value(item) for item in value) + "]"
        case msgspec.Struct():
            return _value(msgspec.structs.asdict(value))
        case Mapping():
            return "{ " + ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items()) + " }"
        case _:
            return str(value)
