"""Everything that can break, under load: `python -m tests.faults --minutes 8` (`make chaos`, after the kills).

Citizens on every channel, each repeating until it is acknowledged; consoles that come back; a 110 desk and a unit's
system. One fault after another, each a few seconds, in an order by chance: processes killed or restarted in turn, the
database restarted, failed over to its synchronous standby, slow, silent; the disk of attachments full; the desk and
the webhooks down; the clock off. At the end the citizens' ledger is compared, as in `tests.chaos`, and the audit chain
is verified.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

from tests.faults.run import faults


def main() -> int:
    """Run from the command line; exit status 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--citizens", type=int, default=3, help="on each channel")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    found = asyncio.run(faults(minutes=given.minutes, citizens=given.citizens, seed=given.seed))
    for kind, count in found.items():
        print(f"{count:6}  {kind}")
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
