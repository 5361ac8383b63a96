"""W9: ten thousand requests for one cold cell cost one provider call; memory per warm cell."""

import re
import time
import urllib.request

from harness.figures import Bar, Outcome
from harness.load import burst
from harness.process import HarnessError
from harness.wire import in_parallel, write_requests

TITLE = "one cold cell asked 10,000 times, and 100,000 warm cells"
ASKERS = 10_000
CELLS = 100_000
SLOW_MS = 1500           # the provider takes this long, so that all askers wait for the same call
COLD_PLACES = ["Ushuaia", "Ulaanbaatar", "Nuuk", "Antananarivo", "Apia"]
CELLS_PER_ACCOUNT = 200  # an account may make 250 cells warm at once
POINTS = 10              # in one call
# Gauges of /metrics that may tell how many cells are in memory.
CELL_GAUGES = ("fairweather_weather_cells", "fairweather_forecast_cells", "weather_cells", "forecast_cells")


def run(bench):
    ours = bench.fresh_ours("cells")
    if not ours:
        return Outcome([], [], ["only for fairweather"])
    bars, notes, samples = [], [], []
    cold_cell(bench, ours, bars, notes, samples)
    warm_cells(bench, ours, bars, notes)
    ours.stop()
    return Outcome(samples, bars, notes)


def cold_cell(bench, ours, bars, notes, samples):
    """Each round takes a place that nobody asked for yet. The worst round counts, not the median."""
    askers = bench.options.askers or ASKERS
    tokens = ours.users(bench.options.users)
    calls_by_round = []
    for name in COLD_PLACES[: bench.options.rounds]:
        place = ours.find_place(name)
        where = f"/count?lat={place['lat']}&lon={place['lon']}"
        requests = write_requests(bench.path("fw-cold"), ours.get_requests(tokens, f"/v1/places/{place['id']}/forecast"))
        if bench.provider_call(where)["packs"]:
            raise HarnessError(f"{name} is not cold any more")
        others = bench.provider_call("/count")["requests"]
        bench.provider_call(f"/control?delay_ms={SLOW_MS}")
        sample, seen = burst(bench, "W9", ours, requests, askers)
        bench.provider_call("/control?delay_ms=0")
        # A page of one place asks for two packs of variables, which are cached apart: each may be fetched once.
        calls = sorted(bench.provider_call(where)["packs"].values())
        others = bench.provider_call("/count")["requests"] - others - sum(calls)
        calls_by_round += calls or [0]
        samples.append(sample)
        bench.keep_raw(sample)
        together = "all" if seen["first_answer_us"] >= seen["send_all_us"] else "not all"
        text = (
            f"{name}: {askers} requests sent in {seen['send_all_us'] / 1000:.0f} ms, {together} of them before the first answer "
            f"(after {seen['first_answer_us'] / 1000:.0f} ms), the last after {seen['seconds'] * 1000:.0f} ms; "
            f"provider calls per pack of variables: {', '.join(map(str, calls)) or 'none'}, for anything else: {others}; {sample.errors} errors"
        )
        bench.say("W9 " + text)
        notes.append(text)
    farthest = max(abs(calls - 1) for calls in calls_by_round)
    bars.append(Bar("W9", f"distance from exactly 1 provider call per pack for {askers} requests", farthest, 0, 0, at_most=True))


def lattice(number):
    """Point of the n-th cell: 0.05° of latitude and at least as much longitude apart, so that no two share a cell."""
    row, column = divmod(number, 1400)
    return round(-49.025 + row * 0.1, 3), round(-175.025 + column * 0.25, 3)


def warm(client, token, numbers):
    """Asks for the cells until none is pending. Returns how many of them have a forecast."""
    points = [dict(zip(("lat", "lon"), lattice(number))) for number in numbers]
    end = time.monotonic() + 60
    while True:
        items = client.expect(200, "POST", "/v1/forecasts", token, {"points": points})["items"]
        problems = [item["problem"].get("code") for item in items if "problem" in item]
        if not problems:
            return len(items)
        if "forecast_pending" not in problems or time.monotonic() > end:
            return len(items) - len(problems)
        time.sleep(0.05)


def warm_range(bench, ours, first, count):
    """Makes cells first .. first+count warm, each account within what one account may ask for."""
    accounts = ours.users((count + CELLS_PER_ACCOUNT - 1) // CELLS_PER_ACCOUNT).tokens()

    def one_account(client, item):
        number, token = item
        start = first + number * CELLS_PER_ACCOUNT
        end = min(start + CELLS_PER_ACCOUNT, first + count)
        return sum(warm(client, token, range(at, min(at + POINTS, end))) for at in range(start, end, POINTS))

    return sum(in_parallel(ours.address, enumerate(accounts), one_account))


def gauge(ours):
    """Cells in memory by the server's own count, when it publishes one."""
    with urllib.request.urlopen(ours.address.url + "/metrics", timeout=10) as answer:
        text = answer.read().decode()
    for name in CELL_GAUGES:
        found = re.search(rf"^{name}(?:\{{[^}}]*\}})? ([\d.e+]+)$", text, re.M)
        if found:
            return int(float(found.group(1)))
    return None


def warm_cells(bench, ours, bars, notes):
    """Resident memory before and after, divided by the cells that are really held.

    The first cells are warmed outside the measure: they pay for buffers, connections and the
    allocator's first pages, which do not grow with cells.
    """
    cells = bench.options.cells or CELLS
    first = min(2000, cells // 10)
    bench.say(f"W9: warming {cells:,} cells")
    if warm_range(bench, ours, 0, first) < first:
        raise HarnessError("not even the first cells became warm: look at the log with --keep")
    before, held_before = ours.process.rss_mib(), gauge(ours)
    since = time.monotonic()
    warmed = warm_range(bench, ours, first, cells)
    span = time.monotonic() - since
    after, held_after = ours.process.rss_mib(), gauge(ours)
    counted = held_after - held_before if held_before is not None and held_after is not None else None
    # A cache that evicted cells must not look frugal: what counts is what is held, not what was asked for. Cells
    # pushed out of memory may come back from the database without a provider call, so only the gauge can tell.
    calls = bench.provider_call("/count")["locations"]
    asked_again = min(cells, 2000)
    again = warm_range(bench, ours, first, asked_again)
    refetched = bench.provider_call("/count")["locations"] - calls
    held = counted if counted is not None else warmed
    complete = counted is not None and warmed == cells and again == asked_again and refetched == 0 and held >= cells * 0.99
    per_cell = (after - before) * 1024 / held if held else None
    bars.append(Bar("W9", f"memory per warm cell, {cells:,} cells", per_cell if complete else None, 12, 8, at_most=True, unit=" KiB"))
    source = "by its own gauge" if counted is not None else "as answered; /metrics has none of the gauges known here"
    notes.append(
        f"{warmed:,} of {cells:,} cells became warm in {span:.0f} s; RSS {before:.0f} -> {after:.0f} MiB, held {held:,} ({source}): "
        f"{per_cell or 0:.1f} KiB each; the first {asked_again} asked again cost {refetched} provider locations"
        + ("" if complete else "; NOT judged, because it is not certain that all cells were held")
    )
    bench.say("W9 " + notes[-1])
