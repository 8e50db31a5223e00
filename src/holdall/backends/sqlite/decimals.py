"""Decimals as text that sorts as the numbers do.

Owns the encoding of exact Decimals (up to 38 digits before and 38 after the point) as TEXT. Must not know SQL.

    value >= 0    'p' + two digits n + n digits before the point + ('.' + digits after it)      12.5   p0212.5     0  p00
    value < 0     'm' + the same with n as 99-n and every digit d as 9-d, then '~'             -12.5   m9787.4~

n is the number of digits before the point (0 for 0.05); zeros after the last digit are not written, so equal numbers have equal text.
'~' sorts above '.' and all digits, so a longer negative number, which is smaller, sorts first.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context, Decimal, Inexact, InvalidOperation

from holdall.schema import DECIMAL_DIGITS_MAX

_FLIP = str.maketrans("0123456789", "9876543210")


def encode(value: Decimal) -> str:
    """The sortable text of a finite Decimal with fewer than 100 digits before the point."""
    digits, exponent = _parts(value)
    whole, _, fraction = _plain(digits, exponent).partition(".")
    whole, fraction = whole.lstrip("0"), fraction.rstrip("0")
    tail = f"{whole}.{fraction}" if fraction else whole
    if not tail:
        return "p00"
    if value > 0:
        return f"p{len(whole):02d}{tail}"
    return f"m{99 - len(whole):02d}{tail.translate(_FLIP)}~"


def _parts(value: Decimal) -> tuple[str, int]:
    _, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    return "".join(map(str, digits)), exponent


def _plain(digits: str, exponent: int) -> str:
    if exponent >= 0:
        return digits + "0" * exponent
    digits = digits.rjust(1 - exponent, "0")
    return f"{digits[:exponent]}.{digits[exponent:]}"


def decode(text: str) -> Decimal:
    """The Decimal, without zeros after its last digit; ValueError for text that `encode` cannot have made."""
    sign, count, tail = text[:1], text[1:3], text[3:]
    if sign == "m" and tail[-1:] == "~":
        count, tail = count.translate(_FLIP), "-" + (tail[:-1].translate(_FLIP) or "x")
    elif sign != "p":
        raise ValueError(f"{text[:60]!r} is not an encoded Decimal")
    whole = tail.lstrip("-").partition(".")[0]
    if not count.isdigit() or int(count) != len(whole):
        raise ValueError(f"{text[:60]!r} is not an encoded Decimal")
    try:
        return Decimal(tail or "0")
    except InvalidOperation:
        raise ValueError(f"{text[:60]!r} is not an encoded Decimal") from None


def decoder(places: int | None) -> Callable[[str], Decimal]:
    """`decode`, at exactly that scale when `places` is given."""
    if places is None:
        return decode
    step = Decimal((0, (1,), -places))
    exact = Context(prec=2 * DECIMAL_DIGITS_MAX, traps=[Inexact, InvalidOperation])

    def decode_places(text: str) -> Decimal:
        return exact.quantize(decode(text), step)

    return decode_places
