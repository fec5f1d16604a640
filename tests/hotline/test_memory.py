"""What a peak took is given back to the system."""

from __future__ import annotations

import subprocess
import sys

MIB = 2**20
PEAK = """
import psutil
from hotline.memory import give_back
own = psutil.Process().memory_info
peak = [bytes(4096) for _ in range(50_000)]
pin = bytes(5000)  # at the end of the heap: what lies before it stays with the process
at_peak = own().rss
del peak
freed = own().rss
print(at_peak, freed, int(give_back()), own().rss, len(pin))
"""


def test_what_a_peak_took_goes_back_to_the_system() -> None:
    run = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True, check=True)
    at_peak, _, given, after, _ = map(int, run.stdout.split())
    assert given == 1
    assert after < at_peak - 150 * MIB
