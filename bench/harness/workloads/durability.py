"""D1: what an acknowledged create is worth: syncs per create, and kill -9 in the middle of writers."""

import http.client
import random
import shutil
import threading
import time

from harness.figures import Bar, Outcome
from harness.process import HarnessError
from harness.wire import Client

TITLE = "durability: fsync per create, and kill -9 under load"
WRITERS = 16
KILLS = 20
SEQUENTIAL = 300
PAGE = 200


def run(bench):
    bars, notes = [], []
    sync_counts(bench, bars, notes)
    if "fairweather" in bench.options.servers:
        kill_loop(bench, bars, notes)
    return Outcome([], bars, notes)


# Syncs per acknowledged create, seen from outside


def sync_counts(bench, bars, notes):
    if not shutil.which("strace"):
        notes.append("strace is not installed, so syncs were not counted")
        return
    for name, prepare in (("fairweather", prepare_ours), ("pocketbase", prepare_peer)):
        if name not in bench.options.servers:
            continue
        trace = bench.path(f"{name}.strace")
        # -D keeps the server our direct child: signals to strace itself would leave the server running.
        wrapper = ["strace", "-D", "-f", "-qq", "-e", "trace=fsync,fdatasync,sync_file_range,msync", "-o", trace]
        server, create = prepare(bench, wrapper)
        before = count_syncs(trace)
        for number in range(SEQUENTIAL):
            create(number)
        syncs = count_syncs(trace) - before
        server.stop()
        notes.append(f"{server.name}: {syncs} syncs for {SEQUENTIAL} acknowledged creates, one after the other")
        bench.say("D1 " + notes[-1])
        if name == "fairweather":
            bars.append(Bar("D1", "syncs per acknowledged create, one at a time", syncs / SEQUENTIAL, 1, 1, unit=""))


def count_syncs(trace):
    """Calls that returned 0; a call interrupted in the trace is counted where it resumes."""
    with open(trace, errors="replace") as lines:
        return sum(1 for line in lines if line.rstrip().endswith("= 0"))


def prepare_ours(bench, wrapper):
    server = bench.fresh_ours("traced-fairweather", wrapper=wrapper)
    token = server.users(1).tokens()[0]
    client = Client(server.address)

    def create(number):
        body = {"name": "Cabin", "lat": round(60.1 + number / 10000, 4), "lon": 9.2}
        client.expect(201, "POST", server.favourites_path, token, body)

    return server, create


def prepare_peer(bench, wrapper):
    server = bench.fresh_peer("traced-pocketbase", wrapper=wrapper)
    server.create_collection()
    owner, token, _ = server.users(1, "traced")[0]
    client = Client(server.address)

    def create(number):
        body = {"owner": owner, "name": "Cabin", "lat": 60.1 + number / 10000, "lon": 9.2, "position": "a0"}
        client.expect(200, "POST", server.records_path, token, body)

    return server, create


# kill -9 under load


class Writer(threading.Thread):
    """Creates favourites of one account until the server is gone, and remembers what was acknowledged."""

    def __init__(self, server, token):
        super().__init__()
        self.server, self.token = server, token
        self.acknowledged = []
        self.refused = None

    def run(self):
        client, number = Client(self.server.address, timeout=10), 0
        try:
            while True:
                body = {"name": "Cabin", "lat": round(60.1 + number % 100 / 10000, 4), "lon": round(9.2 + number // 100 / 10000, 4)}
                status, answer = client.call("POST", self.server.favourites_path, self.token, body)
                if status != 201:
                    self.refused = f"{status}: {answer}"
                    return
                self.acknowledged.append(answer["id"])
                number += 1
        except (OSError, http.client.HTTPException):
            return  # the kill
        finally:
            client.close()


def stored_ids(server, token):
    """All ids of an account, page by page."""
    client, ids, after = Client(server.address), [], None
    while True:
        path = f"{server.favourites_path}?limit={PAGE}" + (f"&after={after}" if after else "")
        page = client.expect(200, "GET", path, token)
        ids += [item["id"] for item in page["items"]]
        after = page["next"]
        if not after:
            client.close()
            return ids


def kill_loop(bench, bars, notes):
    """Kills the server at a random moment while 16 accounts write, restarts it, and compares.

    Missing: acknowledged and not there. Surplus: there and not acknowledged, beyond the one request
    per writer that may have been in flight. Twice: an id listed more than once.
    """
    seed = bench.options.seed
    moments = random.Random(seed)
    kills = bench.options.kills or KILLS
    acknowledged = missing = surplus = twice = 0
    server = bench.fresh_ours("killed")
    for number in range(kills):
        users = server.users(WRITERS)
        writers = [Writer(server, token) for token in users.tokens()]
        for writer in writers:
            writer.start()
        time.sleep(moments.uniform(0.2, 0.9))
        server.process.kill()
        for writer in writers:
            writer.join(30)
        refused = [writer.refused for writer in writers if writer.refused]
        if refused:
            raise HarnessError(f"a create was refused: {refused[0]}")
        server.start()
        for writer in writers:
            stored = stored_ids(server, writer.token)
            known, found = set(writer.acknowledged), set(stored)
            acknowledged += len(known)
            missing += len(known - found)
            surplus += max(len(found - known) - 1, 0)
            twice += len(stored) - len(found)
        bench.say(f"D1 kill {number + 1}/{kills}: {acknowledged} acknowledged so far, {missing} missing, {surplus} surplus, {twice} twice")
    server.stop()
    bars.append(Bar("D1", f"acknowledged creates missing after {kills} × kill -9", missing, 0, 0, at_most=True))
    bars.append(Bar("D1", "creates there twice or that nobody asked for", surplus + twice, 0, 0, at_most=True))
    notes.append(
        f"{kills} kills among {WRITERS} writers (seed {seed}): {acknowledged} acknowledged, {missing} missing, {surplus} surplus, {twice} twice. "
        "kill -9 cannot show what a power cut does: the syncs above do"
    )
