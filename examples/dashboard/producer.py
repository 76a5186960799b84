#!/usr/bin/env python3
"""Writes what this machine is doing to data.json beside it, once a second, until it is stopped.

Each time, the file is replaced as a whole: written under another name first, then renamed. So whoever reads it never
sees half of it.
"""

import json
import os
import shutil
import signal
import socket
import time
from collections import deque
from pathlib import Path

HERE = Path(__file__).resolve().parent
KEEP = 120  # samples: two minutes


def memory():
    """Used and total bytes; Linux only."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None, None
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    total = kilobytes["MemTotal"] * 1024
    return total - kilobytes["MemAvailable"] * 1024, total


def network():
    """Bytes received and sent since the start, loopback included; Linux only."""
    try:
        lines = Path("/proc/net/dev").read_text().splitlines()[2:]
    except OSError:
        return None, None
    fields = [line.split(":")[1].split() for line in lines]
    return sum(int(field[0]) for field in fields), sum(int(field[8]) for field in fields)


def disk_traffic():
    """Bytes read from and written to whole disks since the start; Linux only."""
    try:
        lines = Path("/proc/diskstats").read_text().splitlines()
    except OSError:
        return None, None
    disks = {entry.name for entry in Path("/sys/block").iterdir() if not entry.name.startswith(("loop", "ram", "dm-"))}
    fields = [line.split() for line in lines if line.split()[2] in disks]
    return sum(int(field[5]) for field in fields) * 512, sum(int(field[9]) for field in fields) * 512


def uptime():
    """Seconds since the start of the machine; Linux only."""
    try:
        return int(float(Path("/proc/uptime").read_text().split()[0]))
    except OSError:
        return None


def rate(now, before, seconds):
    """Bytes a second between two readings of a counter."""
    return None if now is None or before is None else max(0, round((now - before) / seconds))


def save(document):
    """Replaces data.json."""
    temporary = HERE / ".data.json.new"
    temporary.write_text(json.dumps(document) + "\n")
    temporary.replace(HERE / "data.json")


def main():
    # Started in the background, a shell tells us to ignore Ctrl-C. It should end us together with the server.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    names = ("load", "memory", "received", "sent", "read", "written")
    history = {name: deque(maxlen=KEEP) for name in names}
    before = time.monotonic(), network(), disk_traffic()
    while True:
        time.sleep(1 - time.time() % 1)
        now = time.monotonic(), network(), disk_traffic()
        seconds = now[0] - before[0]
        (received, sent), (read, written) = (
            [rate(a, b, seconds) for a, b in zip(now[i], before[i])] for i in (1, 2)
        )
        before = now
        load = [round(value, 2) for value in os.getloadavg()]
        used, total = memory()
        disk = shutil.disk_usage(HERE)
        sample = {"load": load[0], "memory": used, "received": received, "sent": sent, "read": read, "written": written}
        for name in names:
            history[name].append(sample[name])
        save({
            "time": round(time.time() * 1000),
            "host": socket.gethostname(),
            "cores": os.cpu_count(),
            "uptime": uptime(),
            "load": {"1 min": load[0], "5 min": load[1], "15 min": load[2]},
            "memory": {"used": used, "total": total},
            "disk": {"used": disk.used, "total": disk.total, "read": read, "written": written},
            "network": {"received": received, "sent": sent},
            "history": {name: list(values) for name, values in history.items()},
        })


if __name__ == "__main__":
    main()
