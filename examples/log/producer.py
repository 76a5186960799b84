#!/usr/bin/env python3
"""Appends lines like those of a busy server to app.log beside it, until it is stopped.

With --rotate, app.log is renamed to app.log.1 after so many lines, and begun anew.
"""

import argparse
import datetime
import random
import signal
import time
from pathlib import Path

LOG = Path(__file__).resolve().parent / "app.log"

LINES = {
    "INFO": [
        "GET /products/{n} 200 in {ms} ms", "GET /cart 200 in {ms} ms", "user {n} signed in", "order {n} paid",
        "cache filled with {n} entries",
    ],
    "WARN": ["GET /search took {ms}0 ms", "disk is {percent} % full", "retrying payment of order {n}"],
    "ERROR": ["order {n}: card refused", "database: connection lost after {ms} ms", "POST /checkout 500 in {ms} ms"],
}


def line():
    """One line: time, level, words."""
    level = random.choices(list(LINES), weights=[80, 15, 5])[0]
    words = random.choice(LINES[level])
    words = words.format(n=random.randrange(1000, 9999), ms=random.randrange(2, 180), percent=random.randrange(90, 99))
    now = datetime.datetime.now().isoformat(timespec="milliseconds")
    return f"{now} {level:5} {words}\n"


def main():
    # Started in the background, a shell tells us to ignore Ctrl-C. It should end us together with the server.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rotate", metavar="LINES", type=int, nargs="?", const=100, help="rotate after so many (100)")
    rotate = parser.parse_args().rotate
    written = 0
    while True:
        # Opened for each line, so that whoever renames, empties or removes the file meanwhile gets a new one.
        with LOG.open("a") as log:
            log.write(line())
        written += 1
        if rotate and written % rotate == 0:
            LOG.replace(LOG.with_name("app.log.1"))
        time.sleep(random.expovariate(5))


if __name__ == "__main__":
    main()
