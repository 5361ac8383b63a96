"""W3: the favourites screen, ten favourites with now, today and twelve hours, from warm cells."""

import time

from harness.figures import Bar, Outcome, ratio
from harness.load import closed_loop, interleaved, median, open_loop
from harness.process import HarnessError
from harness.wire import Client, in_parallel, write_requests
from harness.workloads.listing import list_ours

TITLE = "favourites screen from warm cells"
PATH = "/v1/favourites/forecasts?hours=12&days=1"
CONNECTIONS = 16


def warm(bench):
    """Asks every user's screen until no favourite is pending. Returns the size of one body in bytes."""
    ours, end = bench.ours(), time.monotonic() + 120
    pending = bench.readers().tokens()
    bench.say(f"warming the screens of {len(pending)} users")

    def still_pending(client, token):
        answer = client.expect(200, "GET", PATH, token)
        problems = {item["problem"].get("code") for item in answer["items"] if "problem" in item}
        if problems - {"forecast_pending"}:
            raise HarnessError(f"a favourite has no forecast: {sorted(problems)}")
        return token if problems else None

    while pending:
        pending = [token for token in in_parallel(ours.address, pending, still_pending) if token]
        if pending and time.monotonic() > end:
            raise HarnessError(f"{len(pending)} screens are still pending after 120 s")
    client = Client(ours.address)
    client.connection.request("GET", PATH, headers={"Authorization": f"Bearer {bench.readers().tokens()[0]}"})
    size = len(client.connection.getresponse().read())
    client.close()
    return size


def run(bench):
    ours = bench.ours()
    if not ours:
        return Outcome([], [], ["only for fairweather"])
    size = warm(bench)

    def requests():
        return write_requests(bench.path("fw-screen"), ours.get_requests(bench.readers(), PATH))

    before = bench.provider_call("/count")["requests"]
    medians = interleaved(bench, {
        "screen": lambda: closed_loop(bench, "W3", ours, requests(), CONNECTIONS),
        "list": lambda: list_ours(bench, CONNECTIONS),
    })
    half = medians["screen"].rps / 2
    steady = []
    for _ in range(bench.options.rounds):
        steady.append(open_loop(bench, "W3", ours, requests(), half, bench.options.seconds))
        bench.keep_raw(steady[-1])
        bench.say(f"W3 {steady[-1].load}: p99 {steady[-1].p99:.2f} ms")
    at_half = median(steady)
    calls = bench.provider_call("/count")["requests"] - before
    bars = [
        Bar("W3", f"CPU against W2, c={CONNECTIONS}", ratio(medians["screen"].cpu_us, medians["list"].cpu_us), 4, 2.5, at_most=True, unit="×"),
        Bar("W3", "p99 at half load", at_half.p99, 10, 5, at_most=True, unit=" ms"),
    ]
    notes = [f"one body is {size:,} bytes; calls to the provider while measuring: {calls}"]
    return Outcome([medians["screen"], medians["list"], at_half], bars, notes)
