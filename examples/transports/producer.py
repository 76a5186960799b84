#!/usr/bin/env python3
"""Writes a number and the time to data.json beside it, five times a second, until it is stopped.

Each time, the file is replaced as a whole: written under another name first, then renamed. So whoever reads it never
sees half of it.
"""

import json
import signal
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PERIOD = 0.2  # seconds


def main():
    # Started in the background, a shell tells us to ignore Ctrl-C. It should end us together with the server.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    temporary = HERE / ".data.json.new"
    n = 0
    while True:
        time.sleep(PERIOD - time.time() % PERIOD)
        n += 1
        # Whole milliseconds, rounded down, as Date.now() of a browser counts them.
        temporary.write_text(json.dumps({"n": n, "sent": time.time_ns() // 1_000_000}) + "\n")
        temporary.replace(HERE / "data.json")


if __name__ == "__main__":
    main()
