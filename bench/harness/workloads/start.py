"""W7: how long a second start takes to the first 200, memory when idle, size of the binary.

Both servers are started with the same data in their folders, since a server in use has some, and an
empty database starts faster.
"""

import os
import socket
import statistics
import time

from harness.figures import Bar, Outcome, ratio
from harness.process import HarnessError, wait_for_quiet
from harness.wire import free_port

TITLE = "second start, idle memory, size"
STARTS = 5
IDLE_SECONDS = 10
PATIENCE = 60
OWNERS, EACH = 100, 100  # ten thousand favourites


def first_200(server, port, path):
    """Milliseconds from just before the program is executed to the first 200 at `path`.

    Asked again every half millisecond. The port is fixed beforehand, so that no time is spent on
    reading a log.
    """
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode()
    process = server.launch()
    while time.monotonic() - process.started_at < PATIENCE:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connection.sendall(request)
                status = connection.recv(4096).split(b" ", 2)[1:2]
            if status == [b"200"]:
                return (time.monotonic() - process.started_at) * 1000
        except OSError:
            pass
        if not process.running():
            raise HarnessError(f"{server.name} ended while it started:\n{process.log()}")
        time.sleep(0.0005)
    raise HarnessError(f"{server.name} gave no 200 at {path} in {PATIENCE} s")


def far_apart(user, n):
    """A place of its own for every favourite of the filling."""
    return round(-50 + user * 0.9, 2), round(-170 + n * 3.3, 2)


def fill(bench, server, name):
    """The same number of users and favourites on either server."""
    owners, each = (OWNERS, EACH) if not bench.options.quick else (5, 10)
    bench.say(f"W7 {server.name}: {owners} users with {each} favourites each")
    if name == "ours":
        server.add_favourites(server.users(owners), each, far_apart)
    else:
        server.create_collection()
        server.add_favourites(server.users(owners, "owner"), each)


def timed_starts(bench, server, paths):
    """{path: milliseconds, median of several starts}. The first start of all was made by the caller."""
    taken = {path: [] for path in paths}
    for _ in range(STARTS):
        for path in paths:
            wait_for_quiet(patience=5)
            taken[path].append(first_200(server, server.port, path))
            server.stop()
    bench.say(f"W7 {server.name}: " + ", ".join(f"{path} {statistics.median(times):.1f} ms" for path, times in taken.items()))
    return {path: statistics.median(times) for path, times in taken.items()}


def idle_rss(server, path):
    first_200(server, server.port, path)
    time.sleep(IDLE_SECONDS)
    memory = server.process.rss_mib()
    server.stop()
    return memory


def run(bench):
    found = {}
    notes = []
    for name, make in (("ours", bench.fresh_ours), ("peer", bench.fresh_peer)):
        server = make(f"start-{name}", port=free_port())
        if server is None:
            continue
        fill(bench, server, name)
        server.stop()
        paths = [server.ready_path] + ([server.hello_path] if name == "ours" else [])
        times = timed_starts(bench, server, paths)
        memory = idle_rss(server, server.ready_path)
        size = os.path.getsize(os.path.realpath(server.binary)) / 1e6
        found[name] = times[server.ready_path], memory, size
        listed = ", ".join(f"{path} after {taken:.1f} ms" for path, taken in times.items())
        notes.append(f"{server.name}: {listed} (median of {STARTS} second starts); {memory:.1f} MiB {IDLE_SECONDS} s later; binary {size:.1f} MB")
    bars = []
    if "ours" in found:
        if "peer" in found:
            bars.append(Bar("W7", "second start against PocketBase", ratio(found["ours"][0], found["peer"][0]), 1 / 3, 1 / 6, at_most=True, unit="×"))
            bars.append(Bar("W7", "idle memory against PocketBase", ratio(found["ours"][1], found["peer"][1]), 1.0, 0.6, at_most=True, unit="×"))
        bars.append(Bar("W7", "binary", found["ours"][2], 60, 45, at_most=True, unit=" MB"))
    return Outcome([], bars, notes)
