"""`python -m hotline`: the command line."""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys

from hotline import logs
from hotline.cli.base import PROG, fail
from hotline.errors import HotlineError, Unavailable

COMMANDS = (
    "audit", "keys", "person",
    "serve", "migrate", "user", "unit", "check", "city", "directory", "neighbour", "knowledge",
    "triage", "cluster", "train", "retrain", "shadow", "eval", "demo", "desk110", "unitdesk", "sms", "oidc",
    "queues", "prompts", "funasr", "staffing", "diagram", "openapi", "database", "backup", "restore", "figures",
    "report",
)


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; heavy imports stay inside the commands' `run`."""
    top = argparse.ArgumentParser(
        prog=PROG, description="12345 政务服务便民热线 – backend of a government hotline.",
        epilog="example:\n  python -m hotline serve\n  python -m hotline COMMAND --help",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    for name in COMMANDS:
        importlib.import_module(f"hotline.cli.{name}").add(commands)
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit status."""
    _prepare_streams()
    given = parser().parse_args(arguments)
    try:
        return int(given.run(given))
    except HotlineError as error:
        return fail(error)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader of our output has gone
        return 1
    except OSError as error:  # a file that cannot be read, a full disk: the message says which; a timeout has none
        return fail(Unavailable(str(error) or type(error).__name__))


def _prepare_streams() -> None:
    """Read and write UTF-8 whatever the locale says; a closed standard input is an empty one."""
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115 - lives as long as the process
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


if __name__ == "__main__":
    logs.configure("warning")  # once, where the process begins; on standard error: what is printed is for programs too
    sys.exit(main())
