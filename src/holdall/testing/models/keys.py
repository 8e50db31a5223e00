"""One model for each kind of key that other modules do not have."""

from __future__ import annotations

import enum
from decimal import Decimal

from holdall.model import Email, Key, Model
from holdall.testing.models.naming import named


class Metal(enum.Enum):
    """A coded key."""

    GOLD = 1
    TIN = 2


class TextKey(Model, table=named("f_text_keys")):
    """Text."""

    id: str = Key()
    note: str = ""


class EmailKey(Model, table=named("f_email_keys")):
    """Text of a format, kept in one spelling."""

    id: Email = Key()
    note: str = ""


class DecimalKey(Model, table=named("f_decimal_keys")):
    """An exact number."""

    id: Decimal = Key()
    note: str = ""


class BoolKey(Model, table=named("f_bool_keys")):
    """True or false."""

    id: bool = Key()
    note: str = ""


class MetalKey(Model, table=named("f_metal_keys")):
    """An enum."""

    id: Metal = Key()
    note: str = ""


class MixedKey(Model, table=named("f_mixed_keys")):
    """Two parts, of which either may be the same in two records."""

    kind: str = Key()
    id: int = Key(generated=False)
    note: str = ""
