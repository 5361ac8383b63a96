"""W5: ten thousand idle streams: their memory, what they cost while nothing happens, and a storm of reconnects."""

import time

from harness.figures import Bar, Outcome
from harness.load import HeldStreams
from harness.process import machine_busy_seconds
from harness.wire import write_requests

TITLE = "10,000 idle streams, and all of them reconnecting at once"
BARS = {"memory": (24, 12), "cpu": (2, 1), "storm": (15, 10)}  # KiB, % of a core, seconds: floor, goal
STREAMS = 10_000
FIRST = 200          # streams that are opened and closed before anything is measured
WATCHED_SECONDS = 30 # longer than a heartbeat's interval
SETTLED_SECONDS = 5


def run(bench):
    quick = bench.options.quick
    count = 500 if quick else STREAMS
    outcome = Outcome([], [], [])
    ours = bench.fresh_ours("idle")
    if ours:
        # An account each: what the server keeps per account belongs to its stream.
        requests = ours.stream_requests(ours.users(count), 1)
        found = held(bench, ours, requests, 1, count)
        for what, key, unit in ((f"memory per idle stream, {count:,} streams", "memory", " KiB"),
                                ("CPU of idle streams, of one core", "cpu", " %"),
                                ("all served after a storm", "storm", " s")):
            outcome.bars.append(Bar("W5", what, found[key], *BARS[key], at_most=True, unit=unit))
        outcome.bars.append(Bar("W5", "streams that went on elsewhere than they stopped", found["astray"], 0, 0, at_most=True))
        outcome.notes.append(found["text"])
        ours.stop()
    peer = bench.fresh_peer("pocketbase-idle")
    if peer:
        peer.create_collection()
        peer.cheapen_passwords()
        requests = peer.stream_requests(peer.users(count, "idle"), 1)
        outcome.notes.append(held(bench, peer, requests, 2, count)["text"])
        peer.stop()
    return outcome


def held(bench, server, requests, per_stream, count):
    """Opens the streams, watches them, and lets them all reconnect."""
    first = write_requests(bench.path(f"{server.name}-first-requests"), requests[: FIRST * per_stream])
    # The first streams pay for buffers and threads that do not grow with streams.
    with HeldStreams(bench, server, first) as streams:
        streams.heard()
    settle = 1 if bench.options.quick else SETTLED_SECONDS
    time.sleep(settle)
    before = server.process.rss_mib()
    everything = write_requests(bench.path(f"{server.name}-requests"), requests)
    with HeldStreams(bench, server, everything) as streams:
        opened = streams.heard()
        time.sleep(settle)
        after = server.process.rss_mib()
        cpu, others, span = watched(server, 3 if bench.options.quick else WATCHED_SECONDS)
        storm = streams.storm()
        highest = server.process.rss_mib()
        is_whole = storm["served"] == count
    text = (
        f"{server.name}: {opened['served']:,} streams opened in {opened['seconds']:.1f} s, RSS {before:.0f} -> {after:.0f} MiB, "
        f"{cpu * 100:.2f} % of a core over {span:.0f} s (others {others:.2f} cores); "
        f"storm: {storm['served']:,} of {count:,} served after {storm['seconds']:.2f} s, p50 {storm['p50'] / 1000:.0f} ms "
        f"and p99 {storm['p99'] / 1000:.0f} ms from connecting, {storm['refused']} refused, {storm['server_closed']} sent away, "
        f"{storm['resets']} resets; RSS {highest:.0f} MiB after it"
    )
    bench.say(f"W5 {text}")
    return {
        "memory": (after - before) * 1024 / count, "cpu": cpu * 100, "storm": storm["seconds"] if is_whole else None,
        "astray": storm["resets"] + storm["moved"], "text": text,
    }


def watched(server, seconds):
    """(cores used by the server, cores used by everything else, the span) while nothing happens."""
    cpu, machine, since = server.process.cpu_seconds(), machine_busy_seconds(), time.monotonic()
    time.sleep(seconds)
    span = time.monotonic() - since
    used = server.process.cpu_seconds() - cpu
    return used / span, (machine_busy_seconds() - machine - used) / span, span
