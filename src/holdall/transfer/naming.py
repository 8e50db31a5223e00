"""Naming: from stored names to Python names that are easy to guess and never clash.

Owns the rules. Must not know tables or models.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

NAME_BYTES_MAX = 63

_WORDS = re.compile(r"[^\W_]+", re.UNICODE)
_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_IRREGULAR = {"person": "people", "child": "children", "man": "men", "woman": "women"}
_SINGULARS = {many: one for one, many in _IRREGULAR.items()}
_KEY_ENDINGS = ("_id", "_key", "_fk", "_uuid")


def words(name: str) -> list[str]:
    """The words of a name, in lower case: BillingPostalCode, billing_postal_code and 'Billing postal code' have the same three."""
    return [part.lower() for word in _WORDS.findall(name) for part in _HUMPS.split(word)]


def snake(name: str) -> str:
    """The name as a field: snake case, an identifier, no keyword."""
    made = "_".join(words(name)) or "field"
    if made[0].isdigit() or not made.isidentifier():
        made = f"field_{made}" if f"field_{made}".isidentifier() else "field"
    made = made.encode()[: NAME_BYTES_MAX - 4].decode(errors="ignore").rstrip("_")
    return f"{made}_" if keyword.iskeyword(made) else made


def camel(name: str) -> str:
    """The name as a class."""
    made = "".join(part[:1].upper() + part[1:] for word in _WORDS.findall(name) for part in _HUMPS.split(word))
    if not made or made[0].isdigit() or not made.isidentifier():
        made = f"Table{made}" if f"Table{made}".isidentifier() else "Table"
    made = made[0].upper() + made[1:]
    made = made.encode()[: NAME_BYTES_MAX - 4].decode(errors="ignore")
    return f"{made}Record" if keyword.iskeyword(made) else made


def plural(name: str) -> str:
    """The English plural of a snake-case name; a name that is one already stays."""
    first, _, last = name.rpartition("_")
    if last in _IRREGULAR or last in _SINGULARS:
        return f"{first}_{_IRREGULAR.get(last, last)}".removeprefix("_")
    if name.endswith(("ss", "us", "is", "x", "z", "ch", "sh")):
        return f"{name}es"
    if name.endswith("s"):
        return name
    if name.endswith("y") and name[-2:-1] not in ("a", "e", "i", "o", "u", ""):
        return f"{name[:-1]}ies"
    return f"{name}s"


def singular(name: str) -> str:
    """The English singular of a snake-case name, where it is plain; else the name."""
    first, _, last = name.rpartition("_")
    if last in _SINGULARS:
        return f"{first}_{_SINGULARS[last]}".removeprefix("_")
    if name.endswith("ies") and len(name) > 4:
        return f"{name[:-3]}y"
    if name.endswith(("sses", "xes", "ches", "shes", "zes")):
        return name[:-2]
    return name[:-1] if name.endswith("s") and not name.endswith(("ss", "us", "is")) and len(name) > 3 else name


def stem(field: str) -> str:
    """What a foreign key points at: customer_id gives customer; '' if its name does not say."""
    for ending in _KEY_ENDINGS:
        if field.endswith(ending) and len(field) > len(ending):
            return field[: -len(ending)]
    return ""


def free(name: str, taken: Iterable[str]) -> str:
    """The name, or with the first number that makes it differ from all taken ones, whatever their case."""
    used = {item.casefold() for item in taken}
    made, number = name, 2
    while made.casefold() in used:
        made, number = f"{name.rstrip('_')}_{number}" if name.islower() else f"{name}{number}", number + 1
    return made
