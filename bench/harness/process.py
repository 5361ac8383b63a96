"""Processes that the harness starts, and what the kernel says about their cost.

Everything here reads /proc, so the harness runs on Linux only. Only processes that it started are
ever signalled, each by its own handle.
"""

import os
import resource
import signal
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")


class HarnessError(Exception):
    """Something that stops a workload, worded for the person at the terminal."""


def raise_file_limit():
    """Lets this process and all that it starts open as many files as the system allows.

    Returns the limit; ten thousand connections need a little more than ten thousand.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Process:
    """One started program, with its output in a log file.

    `name` is what reports call it. Output of both streams goes to `log_path`, since a pipe that
    nobody reads would block a server that logs much.
    """

    def __init__(self, name, argv, log_path, cwd=None, env=None):
        self.name = name
        self.log_path = log_path
        self.log_start = os.path.getsize(log_path) if os.path.exists(log_path) else 0
        with open(log_path, "ab") as log:
            self.started_at = time.monotonic()
            self.handle = subprocess.Popen(
                [str(word) for word in argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=cwd,
                env={**os.environ, **(env or {})},
            )
        self.pid = self.handle.pid

    def log_size(self):
        return os.path.getsize(self.log_path)

    def log(self, since=None):
        """What this run of the program has printed, from the byte `since` of the file or its own beginning.

        At most the last mebibyte: a server that logs each request writes gigabytes under load.
        """
        first = max(self.log_start if since is None else since, self.log_size() - (1 << 20))
        with open(self.log_path, "rb") as log:
            log.seek(first)
            return log.read().decode("utf-8", "replace")

    def running(self):
        return self.handle.poll() is None

    def wait_for(self, find, seconds=30):
        """Waits until `find(log text)` returns something, and returns it."""
        end = time.monotonic() + seconds
        while True:
            text = self.log()
            found = find(text)
            if found:
                return found
            if not self.running():
                raise HarnessError(f"{self.name} ended with code {self.handle.returncode}:\n{tail(text)}")
            if time.monotonic() > end:
                raise HarnessError(f"{self.name} did not get ready in {seconds} s:\n{tail(text)}")
            time.sleep(0.01)

    def cpu_seconds(self):
        """User and system time of all its threads so far, in seconds (resolution one tick, 10 ms)."""
        with open(f"/proc/{self.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def rss_mib(self):
        """Resident memory now, in MiB."""
        with open(f"/proc/{self.pid}/status") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) / 1024
        return 0.0

    def stop(self):
        """Ends it politely, then firmly."""
        if self.running():
            self.handle.send_signal(signal.SIGTERM)
            try:
                self.handle.wait(15)
            except subprocess.TimeoutExpired:
                self.handle.kill()
        self.handle.wait()

    def kill(self):
        """Ends it as a crash would: SIGKILL, no chance to flush anything."""
        self.handle.kill()
        self.handle.wait()


def tail(text, lines=15):
    return "\n".join(text.splitlines()[-lines:])


def machine_busy_seconds():
    """CPU time that all processes of the machine have used, steal included, in seconds."""
    with open("/proc/stat") as stat:
        fields = [int(field) for field in stat.readline().split()[1:9]]
    user, nice, system, _idle, _iowait, irq, softirq, steal = fields
    return (user + nice + system + irq + softirq + steal) / TICKS


def wait_for_quiet(limit=0.25, patience=20.0):
    """Waits until the machine uses less than `limit` cores. Returns False when patience ran out."""
    end = time.monotonic() + patience
    while True:
        before, since = machine_busy_seconds(), time.monotonic()
        time.sleep(0.4)
        if (machine_busy_seconds() - before) / (time.monotonic() - since) < limit:
            return True
        if time.monotonic() > end:
            return False


def machine():
    """Processor, cores, memory and kernel, for the report."""
    model, memory = "unknown", 0
    with open("/proc/cpuinfo") as info:
        for line in info:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    with open("/proc/meminfo") as info:
        memory = int(info.readline().split()[1]) // (1024 * 1024)
    return {
        "processor": model,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": memory,
        "kernel": os.uname().release,
    }


def file_system(path):
    """Type of the file system that holds `path`; fsync costs nothing on tmpfs, so it is reported."""
    path = os.path.realpath(path)
    best, kind = "", "unknown"
    with open("/proc/mounts") as mounts:
        for line in mounts:
            _, mount, mounted_kind = line.split()[:3]
            if (path == mount or path.startswith(mount.rstrip("/") + "/")) and len(mount) >= len(best):
                best, kind = mount, mounted_kind
    return kind
