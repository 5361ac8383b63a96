"""W4: how long a write takes to the user's other devices, and what is lost when connections are."""

import math
import statistics

from harness.figures import Bar, Outcome, ratio
from harness.load import interleaved, live_streams
from harness.wire import write_requests

TITLE = "a write reaches the user's other devices: 200 streams, 3,000 streams, 30 % of them cut off"
BARS = {"p50": (1 / 4, 1 / 6), "p99": (1 / 8, 1 / 12)}  # of PocketBase's: floor, goal

FEW, FEW_RATE = 200, 100                 # streams of one user each, writes a second
USERS, DEVICES, RATE = 1000, 3, 1000     # every user writes once a second
KILLED, AWAY_MS = 0.3, 1000              # the share that is cut off in the middle, and for how long
ENOUGH, LONGEST = 180, 10                # events that a slow peer is given time for, in at most so many seconds
# What must not happen to a device of ours, by the words of the generator.
WRONG = {"lost": "events lost", "duplicated": "twice", "missing_revs": "revisions skipped", "repeated_revs": "repeated",
         "foreign": "of other users", "resets": "resets", "moved": "went on elsewhere than they stopped"}


class Side:
    """A server with its users."""

    def __init__(self, bench, server, users):
        self.bench, self.server, self.users = bench, server, users
        self.seen = []

    def live(self, part, count, devices, rate, seconds, killed=0.0, connections=64):
        """One run with the first `count` users. Returns its sample."""
        users = self.users(count)
        name = self.server.name
        requests = (
            write_requests(self.bench.path(f"{name}-opening"), self.server.stream_requests(users, devices)),
            write_requests(self.bench.path(f"{name}-marked"), self.server.marked_requests(users)),
        )
        sample, words, all_words = live_streams(
            self.bench, part, self.server, requests, devices, rate, seconds, killed, AWAY_MS, connections,
            # What is cut off is counted, not timed, so noise does not matter.
            retries=0 if killed else 1,
        )
        self.seen += [(part, each) for each in all_words]
        return sample

    def acknowledged(self, part):
        """How long the writes themselves took: the part of an event's latency that is not the stream's."""
        middle = [statistics.median(seen[word] for where, seen in self.seen if where == part) / 1000 for word in ("ack_p50", "ack_p99")]
        return f"{self.server.name}: writes answered after p50 {middle[0]:.2f} ms, p99 {middle[1]:.2f} ms"

    def total(self, word, part=None):
        return sum(seen[word] for where, seen in self.seen if part in (None, where))


def sides(bench, users):
    """(ours, peer), None for one that is left out. Both are servers of their own, with new accounts."""
    ours, peer = bench.fresh_ours("streams"), bench.fresh_peer("pocketbase-streams")
    mine = theirs = None
    if ours:
        accounts = ours.users(users)
        mine = Side(bench, ours, lambda count: accounts.first(count))
    if peer:
        peer.create_collection()
        peer.cheapen_passwords()
        made = peer.users(users, "device")
        theirs = Side(bench, peer, lambda count: made[:count])
    return mine, theirs


def run(bench):
    quick = bench.options.quick
    few, users = (20, 50) if quick else (FEW, USERS)
    mine, theirs = sides(bench, users)
    both = [side for side in (mine, theirs) if side]
    seconds, notes, samples, bars = bench.options.seconds, [], [], []

    def compare(part, count, devices, rate, span):
        medians = interleaved(bench, {
            side.server.name: lambda side=side: side.live(part, count, devices, rate, span) for side in both
        })
        samples.extend(medians.values())
        notes.append(f"{part}: " + "; ".join(side.acknowledged(part) for side in both))
        if mine and theirs:
            ours, others = medians[mine.server.name], medians[theirs.server.name]
            where = f"{count * devices:,} streams, {rate:.0f} writes/s"
            for figure, bar in BARS.items():
                value = ratio(getattr(ours, figure), getattr(others, figure))
                bars.append(Bar(part, f"{figure} against PocketBase, {where}", value, *bar, at_most=True, unit="×"))

    compare("W4a", few, 1, FEW_RATE, seconds)

    rate = RATE * users / USERS
    if theirs:
        common, span = highest_common_rate(bench, theirs, users, rate, notes)
        compare("W4b", users, DEVICES, common, span)
    if mine:
        full = interleaved(bench, {mine.server.name: lambda: mine.live("W4b full", users, DEVICES, rate, seconds)})
        samples.extend(full.values())
        notes.append(f"W4b at {rate:.0f}/s: {mine.acknowledged('W4b full')}")

    for side in both:
        for _ in range(bench.options.rounds):
            side.live("W4c", few, 1, FEW_RATE, max(seconds, 4), KILLED)
        expected, killed = side.total("expected", "W4c"), side.total("killed", "W4c")
        notes.append(
            f"{side.server.name}: {killed} streams cut off among writes of {FEW_RATE}/s and back after {AWAY_MS} ms; "
            f"{side.total('lost', 'W4c')} of {expected} events never came, {side.total('duplicated', 'W4c')} came twice"
        )
        bench.say(f"W4c {notes[-1]}")
    if mine:
        mine.live("W4d", users, DEVICES, rate, max(seconds, 4), KILLED)
        notes.append(
            f"fairweather: {mine.total('killed', 'W4d')} of {users * DEVICES} streams cut off among writes of {rate:.0f}/s; "
            f"{mine.total('lost', 'W4d')} of {mine.total('expected', 'W4d')} events never came"
        )
        bench.say(f"W4 {notes[-1]}")
        wrong = {word: mine.total(word) for word in WRONG}
        bars.append(Bar("W4", "events lost, in all runs", wrong["lost"], 0, 0, at_most=True))
        bars.append(Bar("W4", "anything else than each change once, by revision", sum(wrong.values()) - wrong["lost"], 0, 0, at_most=True))
        notes.append(f"fairweather, {mine.total('expected'):,} events in all: " + ", ".join(f"{count} {WRONG[word]}" for word, count in wrong.items()))
    for side in both:
        side.server.stop()
    return Outcome(samples, bars, notes)


def highest_common_rate(bench, peer, users, wanted, notes):
    """(writes per second that the peer can carry, seconds to measure them).

    Half of what it takes in a closed loop with the same streams: near its limit its latency would be that of
    a queue, and the ratio flattering. At most `wanted`.
    """
    probe = peer.live("W4b probe", users, DEVICES, 0, bench.options.seconds, connections=8)
    bench.keep_raw(probe)
    rate = min(wanted, max(1.0, math.floor(probe.rps / 2)))
    words = f"pocketbase takes {probe.rps:.0f} writes/s in a closed loop with {users * DEVICES:,} streams open"
    if rate < wanted:
        words += f", so it cannot do {wanted:.0f}/s; both were compared at {rate:.0f}/s and ours also ran at {wanted:.0f}/s"
    notes.append(words)
    bench.say(f"W4b {words}")
    return rate, max(bench.options.seconds, min(LONGEST, math.ceil(ENOUGH / (rate * DEVICES))))
