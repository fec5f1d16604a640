"""What every way out to citizens promises (`hotline.ports.Sender`), as one suite: subclass `SenderContract`.

    a message → it arrives, with text and link · a repeat of its key → nothing more · another key → another message ·
    a fault of the other side → Unavailable or RateLimited where trying again is of use, else RuleViolation, and no
    other exception · trying again after it → it arrives once · whatever the text → whole characters, and the link
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import ClassVar

import msgspec
import pytest

from channels.message import Outbound
from hotline.errors import HotlineError
from hotline.ids import TicketNumber
from hotline.ports import Sender
from hotline.terms import Channel

NUMBER = TicketNumber("DG2026112120000420")
LINK = "https://12345.example.cn/r/DG.abc"
NEVER: Mapping[str, type[HotlineError]] = MappingProxyType({})


class Way(ABC):
    """A way out, with the other side of it. `make` returns a sender as another process has it."""

    make: Callable[[], Sender]

    @abstractmethod
    async def arrived(self) -> list[tuple[str, str]]:
        """Return what has reached citizens, in order: to whom, and the text."""

    @abstractmethod
    def fail(self, fault: str) -> None:
        """Switch a fault of the other side on; "" for none."""


class SenderContract(ABC):
    """The promises. A subclass names the channel and an address, and gives a fixture `way`.

    Attributes:
        faults: what the other side can do, and what is raised then.
        forgets: the other side knows no keys: what another process has sent arrives again.
        links: what is told has room for a link.
    """

    sender: ClassVar[type]
    channel: ClassVar[Channel]
    to: ClassVar[str]
    faults: ClassVar[Mapping[str, type[HotlineError]]] = NEVER
    forgets: ClassVar[bool] = False
    links: ClassVar[bool] = True

    def message(self, key: str = "notice-1-4", text: str = "【东莞12345】工单已办结。", link: str = "") -> Outbound:
        return Outbound(channel=self.channel, key=key, to=self.to, text=text, number=NUMBER, link=link)

    async def test_a_message_arrives(self, way: Way) -> None:
        sender = way.make()
        assert type(sender) is self.sender
        await sender.send(self.message())
        assert await way.arrived() == [(self.to, self.message().text)]

    async def test_a_repeat_of_a_key_is_one_message(self, way: Way) -> None:
        sender = way.make()
        for _ in range(3):
            await sender.send(self.message())
        assert len(await way.arrived()) == 1
        await way.make().send(self.message())
        assert len(await way.arrived()) == (2 if self.forgets else 1), "another process, after a kill"

    async def test_the_same_words_under_another_key_are_another_message(self, way: Way) -> None:
        sender = way.make()
        for key in ("notice-1-4", "notice-1-5"):
            await sender.send(self.message(key))
        assert await way.arrived() == [(self.to, self.message().text)] * 2

    async def test_every_fault_is_told_and_trying_again_after_it_delivers_once(self, way: Way) -> None:
        for number, (fault, expected) in enumerate(self.faults.items()):
            message, sender = self.message(f"notice-{number}"), way.make()
            way.fail(fault)
            with pytest.raises(expected) as caught:
                await sender.send(message)
            assert caught.value.detail, fault
            way.fail("")
            await sender.send(message)
            assert len(await way.arrived()) == number + 1, fault

    @pytest.mark.parametrize("text", [
        "长" * 5000, "家🏠" * 2000, "<b>&amp;</b>]]>", '"引号"\\反斜线', "两\n行", "e" + "\u0301" * 3000,
    ])
    async def test_whatever_the_words_whole_characters_arrive(self, way: Way, text: str) -> None:
        link = LINK if self.links else ""
        await way.make().send(self.message(text=text, link=link))
        [(to, told)] = await way.arrived()
        said = told.removesuffix(f" 评价:{LINK}").removesuffix("…")
        assert (to, told.endswith(link)) == (self.to, True), "the link stands after the words, however many"
        assert said
        assert text.startswith(said)
        assert said == text or len(text) > 100

    async def test_of_many_at_once_each_arrives(self, way: Way) -> None:
        sender = way.make()
        messages = [self.message(f"notice-{n}", f"第{n}条") for n in range(10)]
        await asyncio.gather(*(sender.send(message) for message in messages))
        assert sorted(await way.arrived()) == sorted((one.to, one.text) for one in messages)
        again = msgspec.structs.replace(messages[0], rating=True, asks=True, phone="+8613800138000")
        await sender.send(again)
        assert len(await way.arrived()) == len(messages), "the key says which message it is, nothing else does"
