"""What every channel promises, as one suite: subclass `ChannelContract`, and put recorded payloads into `fixtures/`.

    valid payload → `Inbound` of the channel, with an id and a text · the same payload → the same id and content ·
    malformed payload → InvalidInput, NotFound or Forbidden, never another exception · the receipt comes through
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.message import Inbound, Receipt
from hotline.errors import Forbidden, InvalidInput, NotFound
from hotline.ids import TicketNumber
from hotline.terms import Channel, State, Verdict

NOW = datetime(2026, 11, 21, 14, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
FIXTURES = Path(__file__).parent / "fixtures"
REFUSED = (InvalidInput, NotFound, Forbidden)
RECEIPT = Receipt(
    number=TicketNumber("DG2026112130000420"), code="004217", status=State.PENDING_SIGN, verdict=Verdict.NON_EMERGENCY,
    category="路灯", department="城市管理和综合执法局", expected_by=datetime(2026, 11, 27, 17, 30, tzinfo=NOW.tzinfo),
)


def payloads(channel: str, sort: str) -> list[Path]:
    """Return the recorded payloads of a channel; there must be some."""
    found = sorted((FIXTURES / channel / sort).iterdir())
    assert found
    return found


class ChannelContract(ABC):
    """The promises. A subclass names the folder and the channel, decodes, and reads its replies back."""

    folder: str
    channel: Channel
    tells_code = True
    """The sender is the citizen or stands for them: another city's hotline is told the number only."""

    @abstractmethod
    def decode(self, payload: bytes) -> Inbound:
        """Decode one payload as the adapter does; raises one of `REFUSED`."""

    @abstractmethod
    def reply(self, receipt: Receipt) -> bytes:
        """Encode the answer to the citizen."""

    def test_recorded_payloads_become_inbound(self) -> None:
        for path in payloads(self.folder, "valid"):
            inbound = self.decode(path.read_bytes())
            assert inbound.channel is self.channel, path.name
            assert inbound.external_id, path.name
            assert inbound.appeal.text.strip(), path.name
            assert inbound.received_at == NOW

    def test_what_is_decoded_can_be_stored(self) -> None:
        for path in payloads(self.folder, "valid"):
            stored = msgspec.json.encode(self.decode(path.read_bytes()))
            assert b"\\u0000" not in stored
            assert msgspec.json.decode(stored, type=Inbound) == self.decode(path.read_bytes())

    def test_the_same_payload_is_the_same_delivery(self) -> None:
        for path in payloads(self.folder, "valid"):
            first, again = self.decode(path.read_bytes()), self.decode(path.read_bytes())
            assert first.external_id == again.external_id
            assert first.content_hash() == again.content_hash()

    def test_different_payloads_are_different_deliveries(self) -> None:
        inbounds = [self.decode(path.read_bytes()) for path in payloads(self.folder, "valid")]
        assert len({inbound.content_hash() for inbound in inbounds}) == len(inbounds)
        assert len({inbound.external_id for inbound in inbounds}) == len(inbounds)

    def test_malformed_payloads_are_refused(self) -> None:
        for path in payloads(self.folder, "malformed"):
            with pytest.raises(REFUSED) as caught:
                self.decode(path.read_bytes())
            assert caught.value.detail, path.name

    def test_any_bytes_are_decoded_or_refused(self) -> None:
        recorded = [path.read_bytes() for sort in ("valid", "malformed") for path in payloads(self.folder, sort)]

        @settings(max_examples=150)
        @given(st.one_of(st.binary(max_size=300), mutated(recorded)))
        def check(payload: bytes) -> None:
            try:
                inbound = self.decode(payload)
            except REFUSED:
                return
            msgspec.json.encode(inbound)
            assert inbound.appeal.text.strip()
            assert "\0" not in inbound.appeal.text

        check()

    def test_the_receipt_comes_through(self) -> None:
        reply = self.reply(RECEIPT).decode()
        assert RECEIPT.number in reply
        assert (RECEIPT.code in reply) is self.tells_code


@st.composite
def mutated(draw: st.DrawFn, recorded: list[bytes]) -> bytes:
    """A recorded payload with a piece cut out, or replaced by other bytes or by a piece of another payload."""
    payload = draw(st.sampled_from(recorded))
    start = draw(st.integers(0, len(payload)))
    end = draw(st.integers(start, min(len(payload), start + 40)))
    other = draw(st.sampled_from(recorded))
    place = draw(st.integers(0, len(other)))
    piece = draw(st.one_of(st.binary(max_size=8), st.just(other[place:place + 20]), st.just(b"")))
    return payload[:start] + piece + payload[end:]
