"""W1: a favourite is created, durably, by 16 or 64 writers at once."""

from harness.figures import Bar, Outcome, ratio
from harness.load import closed_loop, interleaved
from harness.wire import write_requests

TITLE = "durable create of a favourite"
# connections: (floor, goal) of the throughput ratio, (floor, goal) of the p99 ratio
BARS = {16: ((5, 7), (1 / 3, 1 / 4)), 64: ((6.5, 9), (1 / 8, 1 / 10))}


def run(bench):
    ours, peer = bench.ours(), bench.peer()
    subjects = {}
    for connections in BARS:
        if ours:
            subjects["ours", connections] = lambda c=connections: create_ours(bench, ours, c)
        if peer:
            creators, _ = bench.peer_users()
            requests = write_requests(bench.path("pb-create"), peer.create_requests(creators))
            subjects["peer", connections] = lambda c=connections: closed_loop(bench, "W1", peer, requests, c, create=True)
    before = bench.provider_call("/count")["requests"]
    medians = interleaved(bench, subjects)
    bars = []
    for connections, (rate, tail) in BARS.items():
        mine, theirs = medians.get(("ours", connections)), medians.get(("peer", connections))
        if mine and theirs:
            bars.append(Bar("W1", f"creates against PocketBase, c={connections}", ratio(mine.rps, theirs.rps), *rate, unit="×"))
            bars.append(Bar("W1", f"p99 against PocketBase, c={connections}", ratio(mine.p99, theirs.p99), *tail, at_most=True, unit="×"))
    notes = []
    if ours:
        notes.append(f"calls to the weather provider during the creates: {bench.provider_call('/count')['requests'] - before}")
    return Outcome(list(medians.values()), bars, notes)


def create_ours(bench, ours, connections):
    """New accounts for each round: ours takes so many creates that the same accounts would own thousands of rows each."""
    requests = write_requests(bench.path("fw-create"), ours.create_requests(ours.users(bench.options.users)))
    return closed_loop(bench, "W1", ours, requests, connections, create=True)
