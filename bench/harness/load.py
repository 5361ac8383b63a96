"""Load, closed and open loop, and what it cost the server.

A measurement is one `Sample`. CPU of the server comes from /proc (10 ms ticks), CPU of the load
program from its exit record; what is left of the machine's CPU time was used by somebody else, and
a sample in which that exceeds a quarter of a core is taken again, then marked as noisy.
"""

import dataclasses
import json
import os
import re
import shutil
import statistics
import subprocess
import threading
import time

from harness.process import HarnessError, machine_busy_seconds, wait_for_quiet

NOISE_LIMIT = 0.25
HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


@dataclasses.dataclass
class Sample:
    """One measurement, or the median of several. Latencies in milliseconds, memory in MiB."""

    workload: str
    server: str
    load: str  # "closed c=16", "open 500/s"
    rps: float  # answers with a 2xx status per second
    p50: float
    p95: float
    p99: float
    p999: float
    errors: int
    cpu_us: float  # server CPU per request, microseconds
    server_cores: float
    client_cores: float
    other_cores: float
    rss: float
    noisy: int = 0  # how many of the rounds were noisy
    rounds: int = 1


def median(samples):
    """The median of each figure; errors and noisy rounds are added up instead."""
    first = samples[0]
    middle = {
        field: statistics.median(getattr(sample, field) for sample in samples)
        for field in ("rps", "p50", "p95", "p99", "p999", "cpu_us", "server_cores", "client_cores", "other_cores", "rss")
    }
    return dataclasses.replace(
        first,
        **middle,
        errors=sum(sample.errors for sample in samples),
        noisy=sum(sample.noisy for sample in samples),
        rounds=sum(sample.rounds for sample in samples),
    )


def build(name, folder):
    """Compiles loadgen/NAME.c with the system's C compiler, when the program is older than any source. Returns its path."""
    sources, binary = os.path.join(HERE, "loadgen"), os.path.join(folder, name)
    os.makedirs(folder, exist_ok=True)
    newest = max(os.path.getmtime(os.path.join(sources, file)) for file in os.listdir(sources))
    if not os.path.exists(binary) or os.path.getmtime(binary) < newest:
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        if not compiler:
            raise HarnessError(f"a C compiler is needed for bench/loadgen/{name}.c (Debian: apt-get install gcc libc6-dev)")
        subprocess.run([compiler, "-O2", "-Wall", "-Wextra", "-o", binary, os.path.join(sources, f"{name}.c")], check=True)
    return binary


class Finished:
    """A load program that has ended: its output, its CPU time and how long it ran."""

    def __init__(self, argv, seconds_allowed):
        since = time.monotonic()
        with subprocess.Popen([str(word) for word in argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
            # Both streams are short; a timer bounds a program whose server hangs.
            guard = threading.Timer(seconds_allowed, program.kill)
            guard.start()
            try:
                self.output = program.stdout.read().decode("utf-8", "replace")
                complaint = program.stderr.read().decode("utf-8", "replace")
                _, status, usage = os.wait4(program.pid, 0)
                program.returncode = os.waitstatus_to_exitcode(status)
            finally:
                guard.cancel()
        self.seconds = time.monotonic() - since
        self.cpu_seconds = usage.ru_utime + usage.ru_stime
        if program.returncode != 0:
            raise HarnessError(f"{argv[0]} ended with code {program.returncode}: {complaint or self.output}")


class Meter:
    """CPU of the server, of the helpers that belong to the bench, and of the machine, over a span."""

    def __init__(self, server, helpers=()):
        self.server, self.helpers = server, [helper for helper in helpers if helper]
        self.since = time.monotonic()
        self.server_cpu = server.cpu_seconds()
        self.helper_cpu = sum(helper.cpu_seconds() for helper in self.helpers)
        self.machine = machine_busy_seconds()

    def figures(self, requests, client_cpu):
        span = time.monotonic() - self.since
        server = self.server.cpu_seconds() - self.server_cpu
        helpers = sum(helper.cpu_seconds() for helper in self.helpers) - self.helper_cpu
        others = machine_busy_seconds() - self.machine - server - helpers - client_cpu
        return {
            "cpu_us": server * 1e6 / max(requests, 1),
            "server_cores": server / span,
            "client_cores": client_cpu / span,
            "other_cores": max(others / span, 0.0),
            "rss": self.server.rss_mib(),
        }


def measured(bench, take, retries=1):
    """Runs `take()` on a quiet machine; a noisy sample is taken again, and the quieter one is kept."""
    best = None
    for _ in range(1 + (0 if bench.options.quick else retries)):
        wait_for_quiet(patience=bench.options.patience)
        sample = take()
        if best is None or sample.other_cores < best.other_cores:
            best = sample
        if best.other_cores <= NOISE_LIMIT:
            break
    best.noisy = int(best.other_cores > NOISE_LIMIT)
    return best


def closed_loop(bench, workload, server, requests, connections, create=False, retries=1, beside=None):
    """wrk with one thread: `connections` requests are in flight at any time. A short warm-up goes first.

    `beside` is given where other loads run at the same time: what to count as the bench's own CPU. The machine is
    not waited for then, and never quiet.
    """
    words = ["create"] if create else []

    def wrk(seconds):
        return Finished(
            ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s",
             "-s", os.path.join(HERE, "lua", "rotate.lua"), server.address.url, "--", requests, *words],
            seconds + 60,
        )

    def take():
        meter = Meter(server.process, [bench.provider_process(), *(beside or [])])
        program = wrk(bench.options.seconds)
        line = re.search(r"^SUMMARY (\{.*\})$", program.output, re.M)
        if not line:
            raise HarnessError(f"wrk printed no summary: {program.output}")
        seen = json.loads(line.group(1))
        return Sample(
            workload, server.name, f"closed c={connections}",
            rps=(seen["requests"] - seen["bad_status"]) / (seen["duration_us"] / 1e6),
            p50=seen["p50"] / 1000, p95=seen["p95"] / 1000, p99=seen["p99"] / 1000, p999=seen["p999"] / 1000,
            errors=seen["errors"] + seen["bad_status"],
            **meter.figures(seen["requests"], program.cpu_seconds),
        )

    wrk(1)
    return measured(bench, take, retries) if beside is None else take()


def open_loop(bench, workload, server, requests, rate, seconds, connections=64, samples=None, retries=1, during=None):
    """The open-loop generator at `rate` per second. `during()` runs beside it, when given."""

    def take():
        meter = Meter(server.process, [bench.provider_process()])
        beside = threading.Thread(target=during) if during else None
        if beside:
            beside.start()
        argv = [bench.openloop, "rate", server.address.port, connections, f"{rate:.3f}", f"{seconds:.3f}", requests]
        program = Finished(argv + ([samples] if samples else []), seconds + 60)
        if beside:
            beside.join()
        return open_sample(workload, server, f"open {rate:.0f}/s", program, meter)

    return measured(bench, take, retries)


def burst(bench, workload, server, requests, connections):
    """One request on each of `connections` at once. Returns (sample, the generator's own words)."""
    meter = Meter(server.process, [bench.provider_process()])
    program = Finished([bench.openloop, "burst", server.address.port, connections, requests], 150)
    return open_sample(workload, server, f"burst {connections}", program, meter), json.loads(program.output)


def open_sample(workload, server, load, program, meter):
    seen = json.loads(program.output)
    return Sample(
        workload, server.name, load,
        rps=(seen["answered"] - seen["bad_status"]) / seen["seconds"] if seen["seconds"] else 0.0,
        p50=seen["p50"] / 1000, p95=seen["p95"] / 1000, p99=seen["p99"] / 1000, p999=seen["p999"] / 1000,
        errors=seen["bad_status"] + seen["broken"] + seen["unanswered"] + seen["unsent"],
        **meter.figures(seen["answered"], program.cpu_seconds),
    )


def live_streams(bench, workload, server, requests, devices, rate, seconds, killed=0.0, away_ms=0, connections=64, retries=1,
                 write_to=None):
    """Writes while their users' devices listen. Returns (sample, the generator's own words).

    `requests` are the files of the streams' requests and of the writes. Latencies run from the moment a write
    was due to the moment a device had read its event. With `rate` 0 each of `connections` writers sends the
    next write when the last was answered. `killed` is the share of the streams that is cut off in the middle.
    `write_to` is another node that takes the writes.
    """
    words = {}

    def take():
        meter = Meter(server.process, [bench.provider_process()])
        ports = f"{server.address.port},{write_to.address.port}" if write_to else server.address.port
        argv = [bench.streams, "live", server.name, ports, requests[0], devices, requests[1], connections,
                f"{rate:.3f}", f"{seconds:.3f}", *([f"{killed:.3f}", away_ms] if killed else [])]
        program = Finished(argv, seconds + 120)
        seen = json.loads(program.output)
        listeners = f"{seen['streams']:,} streams"
        sample = Sample(
            workload, server.name, f"{listeners}, open {rate:.0f}/s" if rate else f"{listeners}, closed c={connections}",
            rps=seen["acknowledged"] / seen["seconds"] if seen["seconds"] else 0.0,
            p50=seen["p50"] / 1000, p95=seen["p95"] / 1000, p99=seen["p99"] / 1000, p999=seen["p999"] / 1000,
            errors=seen["bad_status"] + seen["broken"] + seen["planned"] - seen["sent"] + seen["unserved"],
            **meter.figures(seen["acknowledged"], program.cpu_seconds),
        )
        words[id(sample)] = seen
        return sample

    sample = measured(bench, take, retries)
    return sample, words[id(sample)], list(words.values())


class HeldStreams:
    """Idle streams that a generator holds open until the `with` ends."""

    def __init__(self, bench, server, requests):
        self.program = subprocess.Popen(
            [bench.streams, "idle", server.name, str(server.address.port), requests],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # It ends with its input.
        self.program.stdin.close()
        try:
            self.program.wait(30)
        except subprocess.TimeoutExpired:
            self.program.kill()
            self.program.wait()
        self.program.stdout.close()

    def heard(self, seconds_allowed=90):
        """What the generator says next."""
        guard = threading.Timer(seconds_allowed, self.program.kill)
        guard.start()
        try:
            line = self.program.stdout.readline()
        finally:
            guard.cancel()
        if not line:
            raise HarnessError("the streams could not be held: the generator has ended")
        return json.loads(line)

    def storm(self):
        """Cuts all off and lets all come back, both at once. Returns what the generator saw."""
        self.program.stdin.write(b"storm\n")
        self.program.stdin.flush()
        return self.heard()


def interleaved(bench, subjects):
    """Takes each subject once per round, in turning order, and returns the medians by subject.

    `subjects` maps a key to a function that takes one sample. The order turns with the round, so
    that no subject always runs after the same other one.
    """
    taken = {key: [] for key in subjects}
    for number in range(bench.options.rounds):
        keys = list(subjects) if number % 2 == 0 else list(reversed(subjects))
        for key in keys:
            sample = subjects[key]()
            taken[key].append(sample)
            bench.keep_raw(sample)
            bench.say(
                f"{sample.workload} round {number + 1}/{bench.options.rounds} {sample.server} {sample.load}: "
                f"{sample.rps:,.0f}/s p99 {sample.p99:.2f} ms, {sample.cpu_us:.0f} us CPU, {sample.errors} errors"
                + (" (noisy machine)" if sample.noisy else "")
            )
    return {key: median(samples) for key, samples in taken.items()}
