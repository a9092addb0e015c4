"""How many instructions a process executes, where the processor and the system count them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

EVENT: Final = "instructions:u"


@contextmanager
def counting(process_id: int) -> Iterator[list[int]]:
    """The instructions that the process, with all its threads, executes in the block: in the list
    once it is over; none where they are not counted.
    """
    found: list[int] = []
    perf = shutil.which("perf")
    if perf is None:
        yield found
        return
    orders, give_order = os.pipe()
    hear_done, done = os.pipe()
    command = [perf, "stat", "--field-separator=;", f"--event={EVENT}", f"--pid={process_id}"]
    command += ["--delay=-1", f"--control=fd:{orders},{done}"]  # it counts when it is told to
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, pass_fds=(orders, done)
    ) as process:
        os.close(orders)
        os.close(done)
        try:
            os.write(give_order, b"enable\n")
            os.read(hear_done, len(b"ack\n"))  # or it has ended, and counts nothing
            yield found
        finally:
            process.send_signal(signal.SIGINT)
            _, said = process.communicate()
            os.close(give_order)
            os.close(hear_done)
            for line in said.splitlines():
                count, _, rest = line.partition(";")
                if EVENT in rest and count.isdigit():
                    found.append(int(count))


def counted() -> bool:
    """True when instructions are counted here."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
        try:
            with counting(busy.pid) as found:
                pass
        finally:
            busy.kill()
    return bool(found and found[0])
