"""W12: creates and lists on PostgreSQL, with one node and with two, also behind PgBouncer, against pgbench with the same statements."""

import dataclasses
import threading

from harness.beside import PgBouncer
from harness.figures import Bar, Outcome, ratio
from harness.load import Meter, Sample, closed_loop, interleaved, measured
from harness.postgres import DURABILITY, KEY_RING, Postgres, nodes_of, ring_of
from harness.process import HarnessError, wait_for_quiet
from harness.wire import write_requests

TITLE = "creates and lists on PostgreSQL, one node and two, against pgbench"
CONNECTIONS = 32
# What pgbench's accounts get; 300 for creates, 300 with ten favourites for lists.
ACCOUNTS = """
INSERT INTO account_sync (account_id, eras, head, floor, favourites, last_position, places)
    SELECT lpad(to_hex(n), 32, '0')::uuid, '1:0', 0, 0, 0, '', decode(repeat('00', 64), 'hex')
    FROM generate_series(1, 1300) AS n WHERE n <= 300 OR n > 1000;
INSERT INTO favourite (account_id, favourite_id, rev, position, place_tag, sealed, updated_at)
    SELECT lpad(to_hex(n), 32, '0')::uuid, gen_random_uuid(), r, 'a' || r, r, decode(repeat('ab', 120), 'hex'), 1795255200000
    FROM generate_series(1001, 1300) AS n, generate_series(1, 10) AS r;
ANALYZE;
"""


def run(bench):
    if "fairweather" not in bench.options.servers:
        return Outcome([], [], [])
    database = Postgres(bench.path("postgres"))
    try:
        return compare(bench, database)
    finally:
        database.stop()


def compare(bench, database):
    url = database.create("bench")
    bouncer, started = PgBouncer(bench.path("pgbouncer"), database), []
    try:
        nodes = nodes_of(bench, url, 2, "node", {}, started)
        behind = {"FAIRWEATHER_STORE__POOLER": "true", "FAIRWEATHER_DATABASE_DIRECT": url, KEY_RING: ring_of(nodes[0])}
        pooled = nodes_of(bench, bouncer.url("bench"), 2, "pooled", behind, started)
        database.sql("bench", ACCOUNTS)
        return measure(bench, (database, bouncer), nodes, pooled)
    finally:
        for node in started:
            node.stop()
        bouncer.stop()


def measure(bench, beside, nodes, pooled):
    database, _ = beside
    users = nodes[0].users(bench.options.users)
    nodes[0].add_favourites(users, 10, lambda user, n: (round(-50 + user * 0.3, 2), round(-170 + n * 31.3, 2)))
    subjects = {}
    for script in ("create", "list"):
        subjects["pgbench", script] = lambda s=script: by_pgbench(bench, database, s)
        for count in (1, 2):
            subjects[count, script] = lambda s=script, c=count: by_nodes(bench, beside, nodes[:c], s, users, "")
            subjects["pooled", count, script] = lambda s=script, c=count: by_nodes(bench, beside, pooled[:c], s, users, ", PgBouncer")
    medians = interleaved(bench, subjects)
    bars = []
    for count, name in ((1, "one node"), (2, "two nodes")):
        for script in ("create", "list"):
            share = ratio(medians[count, script].rps, medians["pgbench", script].rps)
            bars.append(Bar("W12", f"{script}s with {name} against pgbench, c={CONNECTIONS}", share, 0.6, 0.8, unit="×"))
    return Outcome(list(medians.values()), bars, [f"{DURABILITY}; pgbench sends the same statements, prepared; its CPU is not in the table"])


def by_pgbench(bench, database, script):
    def take():
        meter = Meter(database)
        program, rate, times = database.pgbench("bench", script, CONNECTIONS, bench.options.seconds, bench.folder)
        p50, p95, p99, p999 = (percentile(times, share) for share in (0.5, 0.95, 0.99, 0.999))
        return Sample(
            f"W12 {script}", "pgbench", f"closed c={CONNECTIONS}", rps=rate, p50=p50, p95=p95, p99=p99, p999=p999, errors=0,
            **meter.figures(len(times), program.cpu_seconds),
        )

    return measured(bench, take)


def percentile(times, share):
    return times[min(int(len(times) * share), len(times) - 1)]


def by_nodes(bench, databases, nodes, script, users, between):
    """All nodes loaded at once, the connections shared out among them."""
    is_create = script == "create"
    work = []
    for number, node in enumerate(nodes):
        asked = node.create_requests(node.users(bench.options.users)) if is_create else node.get_requests(users, node.favourites_path)
        work.append((node, write_requests(bench.path(f"w12-{number}"), asked)))
    wait_for_quiet(patience=bench.options.patience)
    samples = []

    def load(node, requests):
        beside = [*databases, *(other.process for other in nodes if other is not node)]
        samples.append(closed_loop(bench, f"W12 {script}", node, requests, CONNECTIONS // len(nodes), is_create, beside=beside))

    threads = [threading.Thread(target=load, args=pair) for pair in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(samples) < len(nodes):
        raise HarnessError("a load failed: see above")
    # Percentiles of two loads cannot be added: the worse one stands for both.
    worst = {field: max(getattr(sample, field) for sample in samples) for field in ("p50", "p95", "p99", "p999", "rss", "cpu_us")}
    added = {field: sum(getattr(sample, field) for sample in samples) for field in ("rps", "errors", "server_cores", "client_cores")}
    # Each load sees the other's client as somebody else.
    others = max(min(sample.other_cores for sample in samples) - added["client_cores"] / len(nodes) * (len(nodes) - 1), 0.0)
    name = "one node" if len(nodes) == 1 else f"{len(nodes)} nodes"
    load = f"closed c={CONNECTIONS}, {name}{between}"
    return dataclasses.replace(samples[0], **worst, **added, other_cores=others, load=load)
