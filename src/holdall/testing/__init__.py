"""holdall.testing: the conformance kit, and what tests of applications and backends need."""

from holdall.testing.case import REQUIREMENTS, Case, all_cases, case
from holdall.testing.colours import COLOURS, Colour
from holdall.testing.conformance import conformance
from holdall.testing.faults import CANCELLED, Faults, Passing, Watch
from holdall.testing.kit import START, Clock, Kit
from holdall.testing.lab import Lab, Outcome, Target
from holdall.testing.ledger import LEDGER, Deviation
from holdall.testing.promises import PROMISES
from holdall.testing.report import Report, run_kit

__all__ = [
    "CANCELLED",
    "COLOURS",
    "LEDGER",
    "PROMISES",
    "REQUIREMENTS",
    "START",
    "Case",
    "Clock",
    "Colour",
    "Deviation",
    "Faults",
    "Kit",
    "Lab",
    "Outcome",
    "Passing",
    "Report",
    "Target",
    "Watch",
    "all_cases",
    "case",
    "conformance",
    "run_kit",
]
