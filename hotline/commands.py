"""Commands: what somebody wants to happen to a ticket. Frozen, named in the imperative.

`LifecycleCommand`s move the ticket along `hotline.lifecycle.TRANSITIONS`; `SideCommand`s never change the state (an
urge, an extension or a supervision stands beside the lifecycle). The classes are a tagged union: the console and the
API decode `{"type": "dispatch", …}` straight into them.
"""

from __future__ import annotations

from datetime import datetime
from typing import get_args

import msgspec
from msgspec import UNSET, UnsetType

from hotline.appeal import Attachment, Citizen, Place
from hotline.ids import DepartmentCode, TicketId, TicketNumber
from hotline.terms import (
    ClockName,
    Kind,
    Light,
    Priority,
    Rating,
    RejectReason,
    Sensitive,
    Service,
    TryResult,
    Verdict,
    Way,
)


def _tag(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


def tag_of(kind: type[msgspec.Struct]) -> str:
    """Return the name of a command or fact on the wire and in the log: `Dispatch` → `dispatch`."""
    return str(kind.__struct_config__.tag)


class LifecycleCommand(msgspec.Struct, frozen=True, kw_only=True, tag=_tag, omit_defaults=True):
    """A command that moves the lifecycle."""


class SideCommand(msgspec.Struct, frozen=True, kw_only=True, tag=_tag, omit_defaults=True):
    """A command that leaves the lifecycle state as it is."""


# ── lifecycle ────────────────────────────────────────────────────────────────────────────────────
class Accept(LifecycleCommand, frozen=True):
    """受理: the appeal is ours."""


class Answer(LifecycleCommand, frozen=True):
    """直接答复 by the agent; `text` goes to the citizen."""

    text: str


class HandOff(LifecycleCommand, frozen=True):
    """移交110等: to an emergency service."""

    services: tuple[Service, ...]
    reason: str = ""


class Reject(LifecycleCommand, frozen=True):
    """不予受理; the reason decides what the citizen is told."""

    reason: RejectReason
    note: str = ""


class Merge(LifecycleCommand, frozen=True):
    """并单 into `parent`."""

    parent: TicketId


class AskInfo(LifecycleCommand, frozen=True):
    """Ask the citizen for what is missing, by the centre or by the department that handles; the clock pauses."""

    question: str


class SupplyInfo(LifecycleCommand, frozen=True):
    """The citizen's answer to `AskInfo` of the centre."""

    text: str
    attachments: tuple[Attachment, ...] = ()


class Resume(LifecycleCommand, frozen=True):
    """The citizen's answer to `AskInfo` of a department, or the department goes on without one: handling goes on."""

    text: str = ""
    attachments: tuple[Attachment, ...] = ()


class Withdraw(LifecycleCommand, frozen=True):
    """撤单 at the citizen's wish."""

    reason: str = ""


class Dispatch(LifecycleCommand, frozen=True):
    """派单 to a lead department and assisting ones; clocks start now."""

    lead: DepartmentCode
    assisting: tuple[DepartmentCode, ...] = ()
    directory_version: str = ""
    reasons: tuple[str, ...] = ()


class Sign(LifecycleCommand, frozen=True):
    """签收 by the lead department."""


class RequestReturn(LifecycleCommand, frozen=True):
    """退单: legal basis and a suggested owner are mandatory (国办函〔2025〕66号)."""

    legal_basis: str
    suggested: DepartmentCode


class ApproveReturn(LifecycleCommand, frozen=True):
    """The centre agrees with a return; the ticket is dispatched anew."""

    note: str = ""


class RefuseReturn(LifecycleCommand, frozen=True):
    """The centre refuses a return; no further return."""

    reason: str


class Arbitrate(LifecycleCommand, frozen=True):
    """A disputed return goes to arbitration."""

    note: str = ""


class Rule(LifecycleCommand, frozen=True):
    """裁定: the arbitrator names the owner; no further return."""

    lead: DepartmentCode
    assisting: tuple[DepartmentCode, ...] = ()
    reason: str = ""


class TakeBack(LifecycleCommand, frozen=True):
    """收回: the centre takes a ticket back from where it was dispatched, or a neighbour returns it."""

    reason: str


class Reply(LifecycleCommand, frozen=True):
    """办复: `internal` for the centre, `public` for the citizen, without personal data.

    `flags`: what in `public` looks like personal data and is for the centre to judge; the service finds it.
    """

    internal: str
    public: str
    attachments: tuple[Attachment, ...] = ()
    flags: tuple[str, ...] = ()


class AcceptReply(LifecycleCommand, frozen=True):
    """The centre finds the reply complete; follow-up comes next."""


class RejectReply(LifecycleCommand, frozen=True):
    """The centre sends a reply back for better."""

    reason: str


class SettleFollowUp(LifecycleCommand, frozen=True):
    """回访: satisfied or solved, or unreachable after the tries. `solved` is given by whoever reached the citizen, null
    where that one did not say; older events leave it out where it was so."""

    rating: Rating | None = None
    solved: bool | UnsetType | None = UNSET
    unreachable: bool = False
    note: str = ""
    way: Way = Way.PHONE

    @property
    def said_solved(self) -> bool | None:
        """Whether the citizen says that it is solved, None where they did not say."""
        return True if isinstance(self.solved, UnsetType) else self.solved


class DisputeFollowUp(LifecycleCommand, frozen=True):
    """回访: the citizen is dissatisfied or the matter is unsolved. `solved` is given, null where they did not say.

    Older events leave it out, and counted as unsolved.
    """

    rating: Rating | None = None
    solved: bool | UnsetType | None = UNSET
    note: str = ""
    way: Way = Way.PHONE

    @property
    def said_solved(self) -> bool | None:
        """Whether the citizen says that it is solved, None where they did not say."""
        return False if isinstance(self.solved, UnsetType) else self.solved


class Redispatch(LifecycleCommand, frozen=True):
    """Send a redo to its department again."""

    lead: DepartmentCode | None = None


class PoliceReturn(LifecycleCommand, frozen=True):
    """110 gives a hand-off back; once, and within the window. `priority`: what the ticket has from now on."""

    reason: str
    priority: Priority | None = None


class Close(LifecycleCommand, frozen=True):
    """办结."""

    note: str = ""


class Reopen(LifecycleCommand, frozen=True):
    """Take a closed or answered ticket up again."""

    reason: str


class Unmerge(LifecycleCommand, frozen=True):
    """Undo a merge."""

    reason: str = ""


class Archive(LifecycleCommand, frozen=True):
    """归档."""


# ── beside the lifecycle ─────────────────────────────────────────────────────────────────────────
class Urge(SideCommand, frozen=True):
    """催办 by the citizen or an agent."""

    note: str = ""


class AddMessage(SideCommand, frozen=True):
    """A message of the conversation; `inbound` is from the citizen, else to them. What staff send is to them always."""

    text: str
    inbound: bool = True
    attachments: tuple[Attachment, ...] = ()


class AddNote(SideCommand, frozen=True):
    """A note for colleagues; citizens never see it."""

    text: str


class Correct(SideCommand, frozen=True):
    """An agent corrects what triage made of it; every correction is a label for training.

    `happened_at` and `about` as in an appeal; "" takes back what was told. `citizen`: what was learnt of them since the
    receipt; what is empty of them, and of `place`, stays as it is known. `confidential`: they ask that nobody who
    handles it learns who they are, or do so no longer (GB/T 33358). `labels` (敏感标签): all that the ticket has from
    now on.
    """

    l1: str | None = None
    l2: str | None = None
    kind: Kind | None = None
    place: Place | None = None
    priority: Priority | None = None
    title: str | None = None
    confidential: bool | None = None
    citizen: Citizen | None = None
    happened_at: str | None = None
    about: str | None = None
    labels: tuple[Sensitive, ...] | None = None


class Reassess(SideCommand, frozen=True):
    """Raise or lower the emergency verdict; lowering needs a reason and is audited. `priority`: the new one, if any."""

    verdict: Verdict
    services: tuple[Service, ...] = ()
    reason: str = ""
    priority: Priority | None = None


class Attach(SideCommand, frozen=True):
    """Add files to the ticket, for colleagues; the citizen sees those of the reply only."""

    attachments: tuple[Attachment, ...]
    note: str = ""


class GiveOpinion(SideCommand, frozen=True):
    """协办意见: what an assisting department has to say, for the lead department and the centre."""

    text: str
    attachments: tuple[Attachment, ...] = ()


class Adopt(SideCommand, frozen=True):
    """A parent ticket takes a merged one in, and the earlier of both deadlines. Given by `hotline.family` only."""

    child: TicketNumber
    ceiling_due: datetime | None = None
    completion_due: datetime | None = None


class Disown(SideCommand, frozen=True):
    """A merged ticket goes its own way again. Given by `hotline.family` only."""

    child: TicketNumber


class RecordContact(SideCommand, frozen=True):
    """The department reached the citizen for the first time."""

    note: str = ""


class RecordArrival(SideCommand, frozen=True):
    """The department is on site (到场)."""

    note: str = ""


class Rate(SideCommand, frozen=True):
    """好差评 by the citizen."""

    rating: Rating
    solved: bool | None = None
    note: str = ""


class RequestExtension(SideCommand, frozen=True):
    """延期: working days asked for, with the reason."""

    days: int
    reason: str


class GrantExtension(SideCommand, frozen=True):
    """The extension is granted."""


class RefuseExtension(SideCommand, frozen=True):
    """The extension is refused."""

    reason: str


class Supervise(SideCommand, frozen=True):
    """督办 one level up."""

    reason: str


class ShowLight(SideCommand, frozen=True):
    """亮灯, by the sweep: a clock of the ticket reached yellow (80 %) or red (expiry) at `crossed_at`.

    `quiet` marks one that was found late together with a later one: recorded, but nobody is called for it.
    """

    clock: ClockName
    light: Light
    crossed_at: datetime
    quiet: bool = False


class RecordTry(SideCommand, frozen=True):
    """回访: a try that did not bring an answer."""

    result: TryResult
    way: Way = Way.PHONE
    note: str = ""


class AcknowledgeIncident(SideCommand, frozen=True):
    """110 acknowledges a pushed incident under its own number."""

    incident: str


class RaiseAlarm(SideCommand, frozen=True):
    """Something needs a supervisor's eyes: `alarm` names it (`incident_unacknowledged`, …)."""

    alarm: str
    detail: str = ""


class ClearAlarm(SideCommand, frozen=True):
    """The cause of an alarm is gone."""

    alarm: str


class AcknowledgeAlarm(SideCommand, frozen=True):
    """A supervisor has seen an alarm and deals with it; it stands until its cause is gone."""

    alarm: str
    note: str = ""


class PublishWish(SideCommand, frozen=True):
    """微心愿: tell the public what is wished for, without personal data: `needed` of `unit`."""

    title: str
    needed: int = 1
    unit: str = "份"


class UnpublishWish(SideCommand, frozen=True):
    """Take a wish from the public list."""

    reason: str = ""


class PledgeWish(SideCommand, frozen=True):
    """认领: a donor promises `quantity`; `pledge` is the donor's own key of it."""

    pledge: str
    donor: str
    quantity: int = 1
    contact: str = ""
    note: str = ""


class DeliverWish(SideCommand, frozen=True):
    """What a donor promised has arrived."""

    pledge: str
    note: str = ""


class CancelPledge(SideCommand, frozen=True):
    """A donor cannot keep a promise."""

    pledge: str
    reason: str = ""


class Claim(SideCommand, frozen=True):
    """An agent takes the ticket to work on it."""

    agent: str


class Release(SideCommand, frozen=True):
    """The agent gives it back to the queue."""


AnyLifecycle = (
    Accept | Answer | HandOff | Reject | Merge | AskInfo | SupplyInfo | Resume | Withdraw | Dispatch | Sign
    | RequestReturn
    | ApproveReturn | RefuseReturn | Arbitrate | Rule | TakeBack | Reply | AcceptReply | RejectReply | SettleFollowUp
    | DisputeFollowUp | Redispatch | PoliceReturn | Close | Reopen | Unmerge | Archive
)
AnySide = (
    Urge | AddMessage | AddNote | Attach | GiveOpinion | Adopt | Disown | Correct | Reassess | RecordContact
    | RecordArrival | Rate | RequestExtension | GrantExtension | RefuseExtension | Supervise | ShowLight | RecordTry
    | AcknowledgeIncident
    | RaiseAlarm | ClearAlarm | AcknowledgeAlarm | Claim | Release
    | PublishWish | UnpublishWish | PledgeWish | DeliverWish | CancelPledge
)
Command = AnyLifecycle | AnySide
LIFECYCLE_COMMANDS: tuple[type[LifecycleCommand], ...] = get_args(AnyLifecycle)
SIDE_COMMANDS: tuple[type[SideCommand], ...] = get_args(AnySide)
