"""Processes of a running stack, ended as a crash ends them."""

from contextlib import suppress

import psutil


def kill(stack, name):
    """Kill a process of a stack, and all that it started."""
    for part in [part for part in stack._parts if getattr(part, "name", "") == name]:
        with suppress(psutil.Error):
            started = psutil.Process(part.popen.pid)
            for process in [*started.children(recursive=True), started]:
                process.kill()
        part.popen.wait()
        stack._parts.remove(part)
