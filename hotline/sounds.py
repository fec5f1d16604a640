"""Makes announcements as WAV files of 8 kHz: spoken by espeak-ng where it is installed, else a tone for each."""

from __future__ import annotations

import io
import math
import shutil
import subprocess
import wave
from array import array
from collections.abc import Mapping
from pathlib import Path
from zlib import crc32

from hotline.errors import Unavailable

RATE = 8000
_VOICES = {"zh": "cmn", "yue": "yue", "en": "en"}
_TONE = 0.4
"""Seconds."""


def speaks() -> bool:
    """Tell whether espeak-ng is installed."""
    return shutil.which("espeak-ng") is not None


def make_all(folder: Path, prompts: Mapping[str, Mapping[str, str]], *, tones: bool, force: bool = False) -> int:
    """Write LANGUAGE/NAME.wav for every prompt and return how many; what is there stays unless `force`.

    Raises:
        Unavailable: espeak-ng failed.
    """
    made = 0
    for language, texts in prompts.items():
        (folder / language).mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            path = folder / language / f"{name}.wav"
            if force or not path.exists():
                path.write_bytes(_wav(_tone(name) if tones else _spoken(text, _VOICES[language])))
                made += 1
    return made


def _tone(name: str) -> array[int]:
    """Return a tone of a pitch of the name's own, so that ears and tests can tell them apart."""
    pitch = 300 + crc32(name.encode()) % 1200
    return array("h", (int(9000 * math.sin(2 * math.pi * pitch * n / RATE)) for n in range(int(RATE * _TONE))))


def _spoken(text: str, voice: str) -> array[int]:
    command = ["espeak-ng", "-v", voice, "--stdout", "--", text]
    try:
        made = subprocess.run(command, check=True, capture_output=True, timeout=30).stdout  # noqa: S603 - fixed words
    except (OSError, subprocess.SubprocessError) as error:
        raise Unavailable(f"espeak-ng cannot speak {voice}: {error}") from error
    with wave.open(io.BytesIO(made)) as sound:
        samples = array("h", sound.readframes(sound.getnframes()))
        return resampled(samples, sound.getframerate())


def resampled(samples: array[int], rate: int) -> array[int]:
    """Return samples of another rate as 8 kHz: the mean of those that fall on each new one."""
    width = rate / RATE
    count = int(len(samples) / width)
    return array("h", (
        sum(part) // len(part) if (part := samples[int(n * width):max(int((n + 1) * width), int(n * width) + 1)]) else 0
        for n in range(count)
    ))


def _wav(samples: array[int]) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(samples.tobytes())
    return file.getvalue()
