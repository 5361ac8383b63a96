"""E1: whether the time of an answer tells that an address or an id is known. 200 paired timings for each question."""

import itertools
import math
import random
import statistics
import time
import uuid

from harness.figures import Bar, Outcome, ratio
from harness.wire import Client

TITLE = "answers about what is known and what is not, in pairs"
PAIRS = 200
TRIES = 4  # of a password for one address: five failures are free, and a sixth would be told to wait
PASSWORD = "seven rainy days in Bergen"
WRONG = "eight sunny days in Bergen"


def signed_rank(differences):
    """Two-sided p of Wilcoxon's signed-rank test, by its normal approximation: how likely differences like these are
    where nothing but chance tells the members of a pair apart."""
    differences = [difference for difference in differences if difference]
    count = len(differences)
    if not count:
        return 1.0
    ranked = sorted(differences, key=abs)
    positive, ties, rank = 0.0, 0.0, 0
    for _, group in itertools.groupby(ranked, key=abs):
        group = list(group)
        # Those that are equal share the mean of their ranks.
        mean = rank + (len(group) + 1) / 2
        positive += mean * sum(1 for difference in group if difference > 0)
        ties += len(group) ** 3 - len(group)
        rank += len(group)
    variance = count * (count + 1) * (2 * count + 1) / 24 - ties / 48
    distance = abs(positive - count * (count + 1) / 4)
    return math.erfc(max(0.0, distance - 0.5) / math.sqrt(variance) / math.sqrt(2)) if variance else 1.0


def timed(client, status, request):
    began = time.perf_counter_ns()
    client.expect(status, *request[:2], **request[2])
    return time.perf_counter_ns() - began


def pairs(address, status, known, unknown, seed):
    """Milliseconds of each pair of requests, which of the two goes first being drawn."""
    drawn, client, taken = random.Random(seed), Client(address), []
    # The first of all opens the connection and reads what is read once.
    for request in (known[-1], unknown[-1]):
        timed(client, status, request)
    for one, other in zip(known[:-1], unknown[:-1]):
        if drawn.random() < 0.5:
            first = timed(client, status, one)
            second = timed(client, status, other)
        else:
            second = timed(client, status, other)
            first = timed(client, status, one)
        taken.append((first / 1e6, second / 1e6))
    client.close()
    return taken


def questions(ours, accounts, count):
    """Name, status that both are answered with, and `count` requests each about what is known and what is not."""
    emails = [email for email, _ in accounts]
    # As long as the others, since a longer one is more to read.
    nobodies = [email.replace("walker", "nobody") for email in emails]
    body = lambda path, **members: ("POST", path, {"body": members})  # noqa: E731

    def cycle(make, items):
        return [make(item) for item in itertools.islice(itertools.cycle(items), count)]

    login = lambda email: body("/v1/auth/login", email=email, password=WRONG)  # noqa: E731
    yield "login", 401, cycle(login, emails), cycle(login, nobodies)
    register = lambda email: body("/v1/auth/register", email=email, password=PASSWORD)  # noqa: E731
    yield "register", 202, cycle(register, emails), cycle(register, nobodies)
    forgot = lambda email: body("/v1/auth/password/forgot", email=email)  # noqa: E731
    yield "forgotten password", 202, cycle(forgot, emails), cycle(forgot, nobodies)

    owner, asker = ours.users(2).sessions
    token = asker["access_token"]
    saver = Client(ours.address)
    place = saver.expect(201, "POST", ours.favourites_path, owner["access_token"], {"name": "Cabin", "lat": 60.1, "lon": 9.2})
    saver.close()
    fresh = [str(uuid.UUID(int=uuid.UUID(place["id"]).int + number + 1)) for number in range(count)]
    read = lambda id: ("GET", f"{ours.favourites_path}/{id}", {"token": token})  # noqa: E731
    yield "somebody's favourite", 404, [read(place["id"])] * count, [read(id) for id in fresh]
    end = lambda id: ("POST", f"/v1/operator/accounts/{id}/end-sessions", {"token": token, "body": {}})  # noqa: E731
    yield "an operator's call by somebody else", 404, [end(owner["account_id"])] * count, [end(id) for id in fresh]


def run(bench):
    # A server of its own, which no other workload has left busy.
    ours = bench.fresh_ours("enumeration")
    if not ours:
        return Outcome([], [], [])
    count = 20 if bench.options.quick else PAIRS
    needed = math.ceil((count + 1) / TRIES)
    bench.say(f"registering {needed} accounts with a password")
    accounts = [(f"walker{number}@bench.example", PASSWORD) for number in range(needed)]
    for account in accounts:
        ours.register(*account)
    bars, notes = [], []
    for what, status, known, unknown in questions(ours, accounts, count + 1):
        taken = pairs(ours.address, status, known, unknown, bench.options.seed)
        medians = [statistics.median(side) for side in zip(*taken)]
        quotient = ratio(*medians)
        p = signed_rank([one - other for one, other in taken])
        # The ratio is told and not judged: medians of writes, which wait for the disk, differ by chance alone.
        bars.append(Bar("E1", f"{what}: p of the paired test", p, 0.001, 0.01))
        note = f"{what}: {count} pairs, known {medians[0]:.3f} ms, unknown {medians[1]:.3f} ms, ratio {quotient:.4f}, p {p:.3f}"
        bench.say("E1 " + note)
        notes.append(note)
    return Outcome([], bars, notes)
