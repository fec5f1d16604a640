"""Fuzzing for as long as it takes: `python -m tests.fuzz --cases 100000` (`make fuzz`), or one part: `… http`.

http: schemathesis over the OpenAPI document · console: the WebSocket protocol · codecs: every codec by itself, answers
of those whom we ask, and files.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

from tests.fuzz.codecs import fuzz_codecs
from tests.fuzz.console import fuzz_console
from tests.fuzz.http import fuzz_http

PARTS = ("codecs", "console", "http")


def run(part: str, *, cases: int, seed: int) -> dict[str, str]:
    """Run one part and return what was wrong."""
    match part:
        case "codecs":
            return fuzz_codecs(cases=cases)
        case "console":
            console = asyncio.run(fuzz_console(cases=cases, seed=seed))
            print(f"{console.cases} frames, {console.answered} answered, {console.byes} times told `bye`")
            return console.wrong
        case _:
            http = asyncio.run(fuzz_http(cases=cases, seed=seed))
            print(f"{http.cases} requests; answers: {dict(sorted(http.statuses.items()))}")
            return http.wrong


def main() -> int:
    """Run from the command line; exit status 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", choices=[*PARTS, []], help="codecs, console, http; all")
    parser.add_argument("--cases", type=int, default=100_000, help="of the HTTP part, of the console, of each codec")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other cases")
    given = parser.parse_args()
    wrong = {f"{part}: {sort}": text for part in given.parts or PARTS
             for sort, text in run(part, cases=given.cases, seed=given.seed).items()}
    for sort, text in sorted(wrong.items()):
        print(f"- {sort}\n    {text}")
    print(f"{len(wrong)} kinds of mistakes")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
