"""The page of definitions, docs/metrics.md. Pure."""

from __future__ import annotations

from hotline.metrics import DEFINITIONS, FROM_TICKETS, TELEPHONE, Metric, Reason, Unit, Volume, name_of

_HEAD = """\
# Metrics

Made by `python -m hotline figures define`; a test compares. Each metric is defined once: its words in
`hotline/metrics.py`, its query in `hotline/store/sql/metrics.sql` (from tickets) or `calls.sql` (from calls), and how a
ticket's events become its numerator and denominator in `hotline/tally.py` and `rounds.py`.

## How figures are kept

`ticket_events` → `hotline.store.tally` (a reader of the log in the role `jobs`) → `tally_rollup` →
`hotline.store.metrics`.

- What a ticket contributes is a pure function of its events, its exclusions and the time (`hotline.tally.Tally.share`).
  Whatever happens moves the rollup by *after − before*; an event, a clock that runs out, an exclusion and a corrected
  category are all the same case.
- One step is one transaction that writes the differences and the reader's cursor together. Any process may take it, one
  at a time; killed in the middle, nothing of it is there. Figures are those of exactly one position of the log and one
  moment, both told (`position`, `as_of`). The step writes at its very end, so it holds back no other reader.
- The reader looks every 0.4 s; while a process takes a flood of appeals in, it takes short steps and catches up later.
- `python -m hotline figures check` recomputes everything from the log in one snapshot and compares line by line.
  `figures rebuild` makes a new generation beside the one that is read, and then puts it in its place.
- Town, channel, category and kind are the ticket's of today: a correction moves it in every figure, so numerators and
  denominators always count the same tickets. The department is whose clock it was, the agent who acted.
- A merged ticket's rating is its own citizen's, of the parent's handling: it counts once, beside what they said of an
  earlier one, and under no department, as a merged ticket has none.
- A day is the city's. The report of a past month can still move, by what is decided later (a rating, a clock that comes
  due, an exclusion).

## From a figure to its tickets

`GET /api/v1/figures/tickets` takes the question of a figure, with `figure`, `part` and `side` (`num`, `den`, `miss`
what is in the denominator only, `out` what exclusions left out). A ticket is listed where its own share adds to the
figure, so the `times` of all pages add up to the figure itself, whatever it is (tested for every figure, part and
side of random lives). Only tickets to which a fact of the right kind happened are looked at
(`hotline.drill.LEADS`), day by day backward over the log's index by time; a page that took too long comes back
short, with a cursor. Beside it: `…/standing` (tickets in a state), `…/calls`, `…/heat` (towns × categories),
`/api/v1/hot-spots` and what citizens wrote there, masked. `/api/v1/board` and its stream hold what a wallboard
shows; the stream touches no session and ends with it.

## Exclusions (剔除)

A supervisor leaves a ticket out of one metric, with a reason ({reasons}) and a note, and can take it
back (`POST /api/v1/figures/exclusions`). Both stay in the append-only table `metric_exclusions` with who and when. The
ticket itself is not changed. What is left out is counted (`excluded`, 剔除) beside every numerator and denominator.

## From tickets

A *dispatch* is a round of handling: 派单, 裁定 or 重办 to a lead department, until the next one. Its clocks stand
still while the citizen is asked, while a return is being looked at, and when the ticket leaves the departments. A
return that is approved, or ruled on, voids the round: its clocks count for nobody.
"""


def page() -> str:
    """Return the page as Markdown."""
    reasons = "、".join(f"{name_of(reason)} `{reason}`" for reason in Reason)
    return "\n".join([
        _HEAD.format(reasons=reasons), _table(FROM_TICKETS), "\n## From calls\n",
        "A call that asked for an agent counts at the moment of asking, once it is answered, abandoned or over. Missed",
        "is what asked and was not answered; it is called back when its row in the ledger of callbacks is done.\n",
        _table(TELEPHONE), "\n## Volumes\n", "Counted as they happen; 办结 once, at the last closing.\n",
        "、".join(f"{name_of(volume)} `{volume}`" for volume in Volume), "",
    ])


def _table(metrics: tuple[Metric, ...]) -> str:
    rows = ["| metric | 指标 | numerator | denominator | belongs to | goal |", "|---|---|---|---|---|---|"]
    for metric in metrics:
        d = DEFINITIONS[metric]
        goal = "" if d.goal is None else f"{'≤' if d.at_most else '≥'} {_number(d.goal, d.unit)}"
        rows.append(f"| `{metric}` | {d.label} | {d.numerator} | {d.denominator} | {d.when} | {goal} |")
    return "\n".join(rows)


def _number(value: float, unit: Unit) -> str:
    return f"{value:.0%}" if unit is Unit.RATIO else f"{value:.0f} s"
