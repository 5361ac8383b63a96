"""B1: how long a write at one node takes to the devices at another, by LISTEN and NOTIFY and by Redis."""

from harness.beside import Redis
from harness.figures import Outcome
from harness.load import interleaved, live_streams
from harness.postgres import DURABILITY, Postgres, nodes_of
from harness.wire import write_requests

TITLE = "a write at one node reaches the devices at another, by LISTEN and NOTIFY and by Redis"
STREAMS, RATE = 200, 100  # one stream per user; writes a second


def run(bench):
    if "fairweather" not in bench.options.servers:
        return Outcome([], [], [])
    database = Postgres(bench.path("bus"))
    redis, started = None, []
    try:
        redis = Redis(bench.path("bus-redis"))
        pairs = {}
        for name, more in (("listen", {}), ("redis", {"FAIRWEATHER_REDIS": redis.url})):
            pairs[name] = nodes_of(bench, database.create(name), 2, f"bus-{name}", more, started)
        return measure(bench, pairs)
    finally:
        for node in started:
            node.stop()
        if redis:
            redis.stop()
        database.stop()


def measure(bench, pairs):
    streams = 20 if bench.options.quick else STREAMS
    accounts = {name: nodes[0].users(streams) for name, nodes in pairs.items()}
    lost, subjects = [], {}

    def take(part, name, listener):
        nodes, users = pairs[name], accounts[name]
        there = nodes[listener]
        requests = (
            write_requests(bench.path(f"bus-{name}-opening"), there.stream_requests(users, 1)),
            write_requests(bench.path(f"bus-{name}-marked"), nodes[0].marked_requests(users)),
        )
        sample, _, words = live_streams(bench, part, there, requests, 1, RATE, bench.options.seconds, write_to=nodes[0])
        lost.extend(each["lost"] + each["duplicated"] for each in words)
        return sample

    subjects["same"] = lambda: take("B1 same node", "listen", 0)
    for name in pairs:
        subjects[name] = lambda name=name: take(f"B1 {name}", name, 1)
    medians = interleaved(bench, subjects)
    here = medians["same"]
    notes = [
        f"{name}: p50 {medians[name].p50 - here.p50:+.1f} ms and p99 {medians[name].p99 - here.p99:+.1f} ms "
        "against devices at the node that takes the writes"
        for name in pairs
    ]
    return Outcome(list(medians.values()), [], [DURABILITY, *notes, f"{sum(lost)} events lost or twice"])
