"""Figures as people read them: bars with verdicts, markdown tables, the result file."""

import dataclasses
import json
import os

START, END = "<!-- figures -->", "<!-- /figures -->"


@dataclasses.dataclass
class Bar:
    """A floor that must hold and a goal beyond it. `value` None means that it could not be measured."""

    workload: str
    what: str
    value: float | None
    floor: float
    goal: float
    at_most: bool = False  # True: smaller is better
    unit: str = ""

    def verdict(self):
        if self.value is None:
            return "not measured"
        reached = (lambda bar: self.value <= bar) if self.at_most else (lambda bar: self.value >= bar)
        return "goal" if reached(self.goal) else "floor" if reached(self.floor) else "MISSED"

    def row(self):
        sign = "≤" if self.at_most else "≥"
        cells = [self.workload, self.what, show(self.value, self.unit),
                 f"{sign} {show(self.floor, self.unit)}", f"{sign} {show(self.goal, self.unit)}", self.verdict()]
        return "| " + " | ".join(cells) + " |"


@dataclasses.dataclass
class Outcome:
    """What a workload found."""

    samples: list
    bars: list
    notes: list


def ratio(value, base):
    """value / base, or None when there is no base."""
    return value / base if value is not None and base else None


def show(value, unit=""):
    if value is None:
        return "–"
    if value == 0 or float(value).is_integer() and abs(value) < 1e6:
        text = f"{value:.0f}"
    elif abs(value) >= 100:
        text = f"{value:,.0f}"
    elif abs(value) >= 10:
        text = f"{value:.1f}"
    else:
        text = f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.3f}"
    return text + unit


def samples_table(samples):
    lines = [
        "| work | server | load | req/s | p50 ms | p95 ms | p99 ms | p99.9 ms | server CPU µs/req | cores: server / client / others | RSS MiB | errors | rounds |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for s in samples:
        mark = f" ({s.noisy} noisy)" if s.noisy else ""
        lines.append(
            f"| {s.workload} | {s.server} | {s.load} | {s.rps:,.0f} | {s.p50:.2f} | {s.p95:.2f} | {s.p99:.2f} | {s.p999:.2f} "
            f"| {s.cpu_us:,.0f} | {s.server_cores:.2f} / {s.client_cores:.2f} / {s.other_cores:.2f} | {s.rss:.0f} | {s.errors} | {s.rounds}{mark} |"
        )
    return "\n".join(lines)


def bars_table(bars):
    return "\n".join(["| work | what | measured | floor | goal | reached |", "|---|---|---|---|---|---|", *(bar.row() for bar in bars)])


def report(about, outcomes):
    """The whole report in markdown. `about` describes machine, versions and settings."""
    m = about["machine"]
    lines = [
        f"Measured {about['date']} on {m['processor']}, {m['cores']} cores, {m['memory_gib']} GiB, Linux {m['kernel']}, "
        f"data on {about['file_system']}; client and servers share the cores. "
        f"{about['rounds']} rounds of {about['seconds']} s, {about['users']} users.",
        "",
        *(f"- {name}: {text}" for name, text in about["servers"].items()),
        "",
        "Settings of our server, raised so that the load itself is not refused (the limiter stays on the path):",
        "```toml",
        about["configuration"].rstrip(),
        "```",
        "",
    ]
    bars = [bar for outcome in outcomes.values() for bar in outcome.bars]
    samples = [sample for outcome in outcomes.values() for sample in outcome.samples]
    if bars:
        lines += [bars_table(bars), ""]
    if samples:
        lines += [samples_table(samples), ""]
    for name, outcome in outcomes.items():
        lines += [f"- {name}: {note}" for note in outcome.notes]
    return "\n".join(lines).rstrip() + "\n"


def write_results(path, about, outcomes, raw):
    """Everything that was measured, single rounds included, as JSON."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        json.dump(
            {
                "about": about,
                "workloads": {
                    name: {
                        "samples": [dataclasses.asdict(sample) for sample in outcome.samples],
                        "bars": [{**dataclasses.asdict(bar), "verdict": bar.verdict()} for bar in outcome.bars],
                        "notes": outcome.notes,
                    }
                    for name, outcome in outcomes.items()
                },
                "rounds": [dataclasses.asdict(sample) for sample in raw],
            },
            file, ensure_ascii=False, indent=1,
        )


def write_readme(path, text):
    """Puts the report between the markers of bench/README.md."""
    with open(path) as file:
        whole = file.read()
    head, found, rest = whole.partition(START)
    _, closed, tail = rest.partition(END)
    if not found or not closed:
        raise ValueError(f"{path} lacks the markers {START} and {END}")
    with open(path, "w") as file:
        file.write(f"{head}{START}\n\n{text}\n{END}{tail}")
