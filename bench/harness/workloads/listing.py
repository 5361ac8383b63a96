"""W2: a user lists their own ten favourites; `hello` is a constant from the same HTTP stack."""

from harness.figures import Bar, Outcome, ratio
from harness.load import closed_loop, interleaved
from harness.wire import write_requests

TITLE = "list own 10 favourites, and hello"
# connections: (floor, goal) of the throughput ratio
BARS = {16: (12, 18), 64: (15, 22)}
CPU_BARS = (4, 2.5)  # server CPU per request against hello's


def list_ours(bench, connections):
    """One sample of our list, with tokens that last."""
    ours = bench.ours()
    requests = write_requests(bench.path("fw-list"), ours.get_requests(bench.readers(), ours.favourites_path))
    return closed_loop(bench, "W2", ours, requests, connections)


def run(bench):
    ours, peer = bench.ours(), bench.peer()
    subjects = {}
    if ours:
        hello = write_requests(bench.path("fw-hello"), ours.hello_requests())
    if peer:
        _, readers = bench.peer_users()
        whole = write_requests(bench.path("pb-list"), peer.get_requests(readers, peer.list_path))
        brief = write_requests(bench.path("pb-list-brief"), peer.get_requests(readers, peer.list_path_without_total))
    for connections in BARS:
        if ours:
            subjects["ours", connections] = lambda c=connections: list_ours(bench, c)
            subjects["hello", connections] = lambda c=connections: closed_loop(bench, "hello", ours, hello, c)
        if peer:
            subjects["peer", connections] = lambda c=connections: closed_loop(bench, "W2", peer, whole, c)
            subjects["brief", connections] = lambda c=connections: closed_loop(bench, "W2 without total", peer, brief, c)
    medians = interleaved(bench, subjects)
    bars, notes = [], []
    for connections, rate in BARS.items():
        mine, theirs, constant = (medians.get((who, connections)) for who in ("ours", "peer", "hello"))
        if mine and theirs:
            bars.append(Bar("W2", f"lists against PocketBase, c={connections}", ratio(mine.rps, theirs.rps), *rate, unit="×"))
            against_brief = ratio(mine.rps, medians["brief", connections].rps)
            notes.append(f"against PocketBase's list without the total count, c={connections}: {against_brief:.1f}×")
        if mine and constant:
            bars.append(Bar("W2", f"CPU against hello, c={connections}", ratio(mine.cpu_us, constant.cpu_us), *CPU_BARS, at_most=True, unit="×"))
    return Outcome(list(medians.values()), bars, notes)
