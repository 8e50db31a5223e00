"""Field types that plain Python lacks: Email, Phone, Url, IPAddress, Json, LocalDateTime, and `codec` for types of your own.

Each is an alias that type checkers see through (an Email is a str). Owns what makes them special; model.describe reads it from the
annotation. Must not know models.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from holdall.errors import DeclarationError
from holdall.schema import Kind

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic_core import core_schema

T = TypeVar("T")


class TextFormat:
    """Text of one format, kept in one spelling. It is the codec of its type: canonical and Python value are both text.

    `normalise` gives the one spelling, or raises ValueError. As the operand of a query, text of another format stays as it is, so that
    a part of an address can be searched for.
    """

    identity = True
    python_type = str

    def __init__(self, name: str, json_format: str, normalise: Callable[[str], str], needs: str = "", extra: str = "") -> None:
        self.name = name
        self.json_format = json_format
        self.normalise = normalise
        self.needs = needs
        self.extra = extra

    def encode(self, value: str) -> str:
        """The one spelling if it is of the format, else the text itself."""
        try:
            return self.normalise(value)
        except ValueError:
            return value

    def decode(self, value: str) -> str:
        """The text."""
        return value

    def check_installed(self, where: str) -> None:
        """DeclarationError if the package that knows the format is missing."""
        if self.needs and not installed(self.needs):
            raise DeclarationError(
                f"{where}: {self.name} needs the package '{self.needs}', which is not installed.",
                hint=f"Run: pip install 'holdall[{self.extra}]'.",
            )

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        from pydantic_core import PydanticCustomError, core_schema

        code: Any = self.json_format

        def check(value: str) -> str:
            try:
                return self.normalise(value)
            except ValueError as error:
                raise PydanticCustomError(code, "{why}", {"why": str(error)}) from None

        return core_schema.no_info_after_validator_function(check, handler(source))

    def __get_pydantic_json_schema__(self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "format": self.json_format}

    def __repr__(self) -> str:
        return self.name


def installed(package: str) -> bool:
    """Whether a package could be imported."""
    from importlib.util import find_spec

    return find_spec(package) is not None


@lru_cache(maxsize=2048)  # the library needs tens of microseconds, and a record is checked when made and again when saved
def normal_email(text: str) -> str:
    """The address with its domain in lower case; ValueError if it is none. The domain is not looked up."""
    from email_validator import EmailNotValidError, validate_email

    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise ValueError(f"is not an email address: {error}") from None


@lru_cache(maxsize=2048)
def normal_phone(text: str) -> str:
    """The number as E.164 ('+493012345678'); ValueError if it is no international number that can exist."""
    import phonenumbers

    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException as error:
        raise ValueError(f"is not a phone number with its country code, such as +49 30 901820: {error}") from None
    if not phonenumbers.is_valid_number(number):
        raise ValueError("is not a phone number that can exist")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@lru_cache(maxsize=2048)
def normal_url(text: str) -> str:
    """The URL as it was written; ValueError if it is not absolute or has no host."""
    from pydantic_core import Url as CoreUrl

    if any(character.isspace() for character in text):
        raise ValueError("is not a URL: it holds white space")
    try:
        url = CoreUrl(text)
    except ValueError:
        raise ValueError("is not an absolute URL, such as https://example.com/page") from None
    if not url.host:
        raise ValueError("is not a URL with a host, such as https://example.com/page")
    return text


class KindMark:
    """Says which kind a Python type stands for when it could be two."""

    __slots__ = ("kind", "name")

    def __init__(self, kind: Kind, name: str) -> None:
        self.kind: Kind = kind
        self.name = name

    def __repr__(self) -> str:
        return self.name


class CodecMark:
    """What `codec` gives."""

    __slots__ = ("base", "decode", "encode")

    def __init__(self, encode: Callable[[Any], Any], decode: Callable[[Any], Any], base: Any) -> None:
        self.encode = encode
        self.decode = decode
        self.base = base


def codec(*, encode: Callable[[T], Any], decode: Callable[[Any], T], base: Any = str) -> Any:
    """How a type of your own is stored: `Point = Annotated[GeoPoint, codec(encode=str, decode=GeoPoint.parse)]`.

    encode: from your type to `base`. decode: back; both may raise ValueError. base: any field type that needs no codec itself (str, int,
    Decimal, list[float], Json, …); queries compare and sort by it, and JSON shows it. Two values that are equal must encode equally.
    """
    return CodecMark(encode, decode, base)


Email = Annotated[str, TextFormat("Email", "email", normal_email)]
Phone = Annotated[str, TextFormat("Phone", "phone", normal_phone, needs="phonenumbers", extra="phone")]
Url = Annotated[str, TextFormat("Url", "uri", normal_url)]
IPAddress = IPv4Address | IPv6Address
Json = Annotated[Any, KindMark("json", "Json")]
LocalDateTime = Annotated[dt.datetime, KindMark("local_datetime", "LocalDateTime")]
