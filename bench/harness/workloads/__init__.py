"""The workloads, in the order in which they run. Each module has TITLE and run(bench) -> Outcome."""

from harness.workloads import cells, create, durability, listing, logins, places, screen, start

# Workloads that use the shared server come first, those that start their own after them.
ALL = {
    "W1": create,
    "W2": listing,
    "W3": screen,
    "W6": logins,
    "W8": places,
    "W7": start,
    "W9": cells,
    "D1": durability,
}
