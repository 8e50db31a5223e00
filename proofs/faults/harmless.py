"""Changes that are no faults: what they change no promise speaks of. The kit must pass with each of them."""

from __future__ import annotations

from proofs._mutation_plant import Bed

functions = Bed("holdall.query.functions")
functions.plant(
    "equal_json_lengths", "E1", "JSON objects are compared without a look at their lengths first, which only saves time",
    "json_eq", "return len(left) == len(right) and all(key in right", "return left.keys() == right.keys() and all(key in right",
)  # fmt: skip
functions.plant("like_cache", "A3", "fewer like-patterns are remembered", "like", "@lru_cache(maxsize=512)", "@lru_cache(maxsize=1)")

perform = Bed("holdall.backends.memory.perform")
perform.plant(
    "empty", "H1", "nothing at all is changed", "unknown", "Call ensure_schema with it first.", "Call ensure_schema with it first."
)
perform.plant(
    "no_walk", "H1", "limited queries are sorted rather than walked along an index", "Engine._walk", "total < 64", "total < 2**62"
)
perform.plant("log_keep", "G4", "the log of replaced rows is kept for longer", "LOG_KEEP", "1024", "4096")

access = Bed("holdall.backends.memory.access")
access.plant("always_scan", "B2", "no range of an index is ever used", "Ways.choose", "if size <= 256 and take is not None", "if True")

BEDS = (functions, perform, access)
