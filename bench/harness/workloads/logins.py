"""W6: logins, as fast as the hash allows when alone, and harmless to readers when they come in a storm."""

import json
import os
import re
import statistics
import time

from harness.figures import Bar, Outcome, ratio
from harness.load import Finished, closed_loop, interleaved, median, open_loop
from harness.process import HarnessError
from harness.wire import Client, write_requests

TITLE = "logins alone, and readers during a login storm"
ACCOUNTS = 50
STORM = 250
READ_RATE = 500
STORM_AFTER = 1.0   # seconds of plain reading before the storm
READ_SECONDS = 8.0  # long enough for 250 hashes at 70 per second and core
PASSWORD = "seven rainy days in Bergen"


def hash_rate(binary):
    """Raw argon2id hashes per second of the same cores and parameters, from the example `hash_rate`."""
    if not os.path.exists(binary):
        return None
    output = Finished([binary, "1"], 120).output
    rates = [float(rate) for rate in re.findall(r"bare ([\d.]+)/s", output)]
    if not rates:
        raise HarnessError(f"{binary} printed no rate of bare hashes: {output}")
    return statistics.median(rates)


def during_storm(samples, storm):
    """p99 in ms of the reads that were due while logins were unanswered, and how many those were."""
    began, ended = storm
    with open(samples) as lines:
        seen = [(int(due), int(took)) for due, took, _ in (line.split() for line in lines)]
    # A read that was due shortly before the storm and answered inside it suffered from it too.
    hit = sorted(took for due, took in seen if due + took >= began and due <= ended)
    return (hit[min(int(len(hit) * 0.99), len(hit) - 1)] / 1e6 if hit else None), len(hit)


def forgive(ours, accounts):
    """One login each. A load program that ends leaves logins without an answer, and a try that was abandoned counts
    as failed until the next one succeeds: with five tries at once for an account, one would be told to wait."""
    client = Client(ours.address)
    for email, password in accounts:
        client.expect(200, "POST", "/v1/auth/login", body={"email": email, "password": password})
    client.close()


def run(bench):
    ours, peer = bench.ours(), bench.peer()
    subjects, bars, notes, raw_rates = {}, [], [], []
    if ours:
        bench.say(f"registering {ACCOUNTS} accounts with a password")
        accounts = [(f"walker{number}@bench.example", PASSWORD) for number in range(ACCOUNTS)]
        for account in accounts:
            ours.register(*account)
        logins = write_requests(bench.path("fw-login"), ours.login_requests(accounts))

        def alone():
            # The raw rate is taken next to each round, since the clock of the machine drifts.
            rate = hash_rate(bench.options.hash_rate)
            if rate:
                raw_rates.append(rate)
            return closed_loop(bench, "W6a", ours, logins, 16)

        subjects["ours"] = alone
    if peer:
        _, readers = bench.peer_users()
        peer_logins = write_requests(bench.path("pb-login"), peer.login_requests(readers[:ACCOUNTS]))
        subjects["peer"] = lambda: closed_loop(bench, "W6a", peer, peer_logins, 16)
    medians = interleaved(bench, subjects)
    samples = list(medians.values())
    if ours:
        raw = statistics.median(raw_rates) if raw_rates else None
        bars.append(Bar("W6a", "logins against raw argon2id", ratio(medians["ours"].rps, raw), 0.85, 0.92, unit="×"))
        notes.append(f"raw argon2id: {raw:.1f} hashes/s" if raw else f"{bench.options.hash_rate} is missing, so the raw rate is unknown")
        storms, reads = [], []
        for _ in range(bench.options.rounds):
            forgive(ours, accounts)
            tail, sample = storm_round(bench, ours, logins, notes)
            storms.append(tail)
            reads.append(sample)
        known = [tail for tail in storms if tail is not None]
        bars.append(Bar("W6b", f"p99 of reads during {STORM} logins", statistics.median(known) if known else None, 15, 10, at_most=True, unit=" ms"))
        samples.append(median(reads))
    if peer:
        notes.append("PocketBase hashes with bcrypt (cost 10), so its logins are not comparable with ours")
    return Outcome(samples, bars, notes)


def storm_round(bench, ours, logins, notes):
    """500 reads per second, and after a second 250 logins at once. Returns (p99 during the storm, sample)."""
    requests = write_requests(bench.path("fw-list"), ours.get_requests(bench.readers(), ours.favourites_path))
    seen = bench.path("storm-samples")
    storm = []

    def logins_at_once():
        time.sleep(STORM_AFTER)
        began = time.monotonic_ns()
        program = Finished([bench.openloop, "burst", ours.address.port, STORM, logins], 150)
        storm.append((began, time.monotonic_ns(), program.output))

    sample = open_loop(
        bench, "W6b", ours, requests, READ_RATE, READ_SECONDS, samples=seen, retries=0, during=logins_at_once
    )
    bench.keep_raw(sample)
    if not storm:
        raise HarnessError("the logins of the storm could not be sent")
    began, ended, output = storm[-1]
    tail, count = during_storm(seen, (began, ended))
    answers = json.loads(output)
    text = (
        f"storm of {STORM} logins took {(ended - began) / 1e9:.2f} s ({answers['answered'] - answers['bad_status']} succeeded), "
        f"{count} reads met it, their p99 {tail or 0:.2f} ms"
    )
    bench.say("W6b " + text)
    notes.append(text)
    return tail, sample
