"""Runs commands in turn on the host it runs on, and tells what each took: JSON in, JSON out.

In: {"rounds": N, "commands": [{"name", "argv", "before"?, "from"?, "to"?}]}. Out: one {"name", "ms", "kib"} per run: wall
time, and the most memory that one of its processes had. `before` is run first, and not counted. The time between the
output of a line that contains `from` and of one that contains `to` (or the end) is not counted either.

Inside the host, and in Python rather than a shell, since entering a host and starting a shell take longer than some of what
is measured. The first round warms the caches, and is not told.
"""

import json
import os
import subprocess
import sys
import tempfile
import time


def once(argv, begin_pause, end_pause):
    piped = begin_pause is not None
    began = time.perf_counter()
    # A file, since nobody reads a pipe while the run goes on.
    complaint = tempfile.TemporaryFile()
    output = subprocess.PIPE if piped else subprocess.DEVNULL
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=complaint)
    paused = since = 0.0
    if piped:
        for line in child.stdout:
            text = line.decode()
            if not since and begin_pause in text:
                since = time.perf_counter()
            elif since and not paused and end_pause is not None and end_pause in text:
                paused = time.perf_counter() - since
    _, status, usage = os.wait4(child.pid, 0)
    ended = time.perf_counter()
    child.returncode = os.waitstatus_to_exitcode(status)
    if since and not paused:
        paused = ended - since
    if end_pause is not None and not paused:
        sys.exit(f"{' '.join(argv)}: no line of its output contains {end_pause}")
    if child.returncode != 0:
        complaint.seek(0)
        sys.exit(f"{' '.join(argv)}: exit {child.returncode}\n{complaint.read().decode()}")
    complaint.close()
    return {"ms": (ended - began - paused) * 1000, "kib": usage.ru_maxrss}


def main():
    task = json.load(sys.stdin)
    for turn in range(task["rounds"] + 1):
        for command in task["commands"]:
            if command.get("before"):
                subprocess.run(command["before"], check=True, stdout=subprocess.DEVNULL)
            run = once(command["argv"], command.get("from"), command.get("to"))
            if turn > 0:
                print(json.dumps({"name": command["name"], **run}), flush=True)


main()
