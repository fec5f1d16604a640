"""`prompts`: the sounds that callers hear, made as WAV files for the PBX, or listed for a speaker to record."""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path
from typing import Any

from hotline.cli.base import command


def add(commands: Any) -> None:
    """Add the command."""
    parser = command(
        commands, "prompts", run, summary="make the telephone's announcements, or list their texts",
        example="python -m hotline prompts /usr/share/asterisk/sounds\n"
        "  python -m hotline prompts --list > prompts.csv",
    )
    parser.add_argument("folder", type=Path, nargs="?", help="the PBX's folder of sounds; each language is one in it")
    parser.add_argument("--list", action="store_true", help="print language, name and text as CSV instead")
    parser.add_argument("--language", action="append", default=[], help="zh, yue or en; may be repeated (all)")
    parser.add_argument("--tones", action="store_true", help="tones in place of speech, also where espeak-ng is there")
    parser.add_argument("--force", action="store_true", help="replace files that are there, recorded ones too")


def run(given: argparse.Namespace) -> int:
    """Make the files, or print the list."""
    from hotline.errors import InvalidInput
    from hotline.sounds import make_all, speaks
    from routing.prompts import PROMPTS

    unknown = [language for language in given.language if language not in PROMPTS]
    if unknown:
        raise InvalidInput(f"--language: {'、'.join(unknown)}: there are {', '.join(PROMPTS)}")
    chosen = {language: PROMPTS[language] for language in given.language or PROMPTS}
    if given.list:
        table = csv.writer(sys.stdout)
        table.writerow(["language", "name", "text"])
        table.writerows([language, name, text] for language, texts in chosen.items() for name, text in texts.items())
        return 0
    if given.folder is None:
        raise InvalidInput("name the folder of the PBX's sounds, or ask for --list")
    tones = given.tones or not speaks()
    made = make_all(given.folder, chosen, tones=tones, force=given.force)
    sys.stdout.write(f"{made} sounds in {given.folder}\n")
    if tones:
        sys.stderr.write("they are tones: install espeak-ng, or record what `prompts --list` prints\n")
    return 0
