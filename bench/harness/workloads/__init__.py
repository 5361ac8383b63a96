"""The workloads, in the order in which they run. Each module has TITLE and run(bench) -> Outcome."""

from harness.workloads import bus, cells, create, durability, enumeration, idle, listing, logins, places, postgres, screen, start, streams

# Workloads that use the shared server come first, those that start their own after them.
ALL = {
    "W1": create,
    "W2": listing,
    "W3": screen,
    "W6": logins,
    "W8": places,
    "W4": streams,
    "W5": idle,
    "W7": start,
    "W9": cells,
    "W12": postgres,
    "B1": bus,
    "D1": durability,
    "E1": enumeration,
}
