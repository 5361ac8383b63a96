"""W8: place search as you type, the real keystrokes of names in ten languages."""

from urllib.parse import quote

from harness.figures import Bar, Outcome
from harness.keystrokes import NAMES, keystrokes
from harness.load import closed_loop, interleaved, median, open_loop
from harness.wire import in_parallel, write_requests

TITLE = "place search as you type"
CONNECTIONS = 16


def run(bench):
    ours = bench.ours()
    if not ours:
        return Outcome([], [], ["only for fairweather"])
    typed = keystrokes()
    requests = write_requests(bench.path("fw-places"), ours.place_requests(typed))
    closed = interleaved(bench, {"closed": lambda: closed_loop(bench, "W8", ours, requests, CONNECTIONS)})["closed"]
    steady = []
    for _ in range(bench.options.rounds):
        steady.append(open_loop(bench, "W8", ours, requests, closed.rps / 2, bench.options.seconds))
        bench.keep_raw(steady[-1])
        bench.say(f"W8 {steady[-1].load}: p99 {steady[-1].p99:.2f} ms")
    at_half = median(steady)
    bars = [
        Bar("W8", "searches per second and core", 1e6 / closed.cpu_us if closed.cpu_us else None, 2000, 4000, unit="/s"),
        Bar("W8", "p99 at half load", at_half.p99, 10, 5, at_most=True, unit=" ms"),
    ]
    empty = empty_names(ours)
    notes = [
        f"{len(typed)} keystrokes of {sum(len(names) for names in NAMES.values())} names in {len(NAMES)} languages; "
        f"p99 in the closed loop, both cores full: {closed.p99:.2f} ms",
        f"whole names without any result: {', '.join(empty) if empty else 'none'}",
    ]
    return Outcome([closed, at_half], bars, notes)


def empty_names(ours):
    """Names that find nothing: a fast search that finds nothing would be no achievement."""
    names = [name for names in NAMES.values() for name in names]
    found = in_parallel(ours.address, names, lambda client, name: client.expect(200, "GET", f"/v1/places?q={quote(name)}")["items"])
    return [name for name, items in zip(names, found) if not items]
