"""What Pydantic is told beyond its own types: exact Decimals and floats, bytes as base64, codecs, and the canonical form of each value.

Owns the Annotated metadata that builds core schemas. Two doors: strict for Python callers (an int field takes an int), lax for what came
as JSON (text becomes a UUID). Must not know models. Imported only when a model with fields is made, because it needs Pydantic's core.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from pydantic_core import PydanticCustomError, ValidationError, core_schema

from holdall.model.values import freezer, thawer
from holdall.schema import BadOperand, Codec, Type

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler


class _Pending:
    def __repr__(self) -> str:
        return "<key of a record not saved yet>"


PENDING: Any = _Pending()
EXACT_DIGITS = 15  # a decimal number of so many digits survives the way through a double


class DecimalInput:
    """Decimal: an int is taken as well; a float never from Python, and from JSON only if its digits are certain."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        inner = handler(source)
        return core_schema.lax_or_strict_schema(
            lax_schema=core_schema.no_info_before_validator_function(_decimal_from_json, inner),
            strict_schema=core_schema.no_info_before_validator_function(_decimal_from_python, inner),
        )


def _decimal_from_python(value: Any) -> Any:
    if type(value) is float:
        raise PydanticCustomError("decimal_from_float", "a float is not exact; pass Decimal('{value}')", {"value": repr(value)})
    return Decimal(value) if type(value) is int else value


def _decimal_from_json(value: Any) -> Any:
    if type(value) is bool:
        raise PydanticCustomError("decimal_type", "Input should be a decimal number")
    if type(value) is float:
        text = repr(value)
        if len(text.partition("e")[0].replace(".", "").strip("-0")) > EXACT_DIGITS:
            raise PydanticCustomError(
                "decimal_from_float", "a number of more than 15 digits may have lost some on its way; send it as text"
            )
        return Decimal(text)
    return value


class FloatInput:
    """float: an int is taken if it is exact as a double; -0.0 becomes 0.0 later."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(_float, handler(source))


def _float(value: Any) -> Any:
    if type(value) is int and not -(2**53) <= value <= 2**53:
        raise PydanticCustomError("float_from_int", "an int beyond 2**53 is not exact as a float")
    return value


class TimeInput:
    """datetime, date, time, timedelta: text in ISO 8601. A number is not taken for seconds since 1970, also not as text."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(_no_number, handler(source))


def _no_number(value: Any) -> Any:
    if isinstance(value, int | float | Decimal) or (isinstance(value, str) and _NUMBER.fullmatch(value)):
        raise PydanticCustomError("iso_8601", "Input should be text in ISO 8601, not a number")
    return value


_NUMBER = re.compile(r"\s*[-+]?[0-9.]+\s*")


class ExactInput:
    """Literal and Enum: 1 is not True, and 1.0 is not 1. `also` is a class whose members are taken as well."""

    def __init__(self, python_type: type, also: type | None = None) -> None:
        self._type = python_type
        self._also = also

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(self._exact, handler(source))

    def _exact(self, value: Any) -> Any:
        if type(value) is not self._type and (self._also is None or not isinstance(value, self._also)):
            raise PydanticCustomError("literal_error", "Input should be one of the values, of type {name}", {"name": self._type.__name__})
        return value


class BytesInput:
    """bytes: text from JSON is base64, either alphabet; JSON output is base64."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        inner = handler(source)
        made = core_schema.lax_or_strict_schema(
            lax_schema=core_schema.no_info_before_validator_function(_bytes_from_json, inner),
            strict_schema=core_schema.no_info_before_validator_function(_bytes_from_python, inner),
        )
        made["serialization"] = core_schema.plain_serializer_function_ser_schema(
            lambda value: base64.b64encode(value).decode(), when_used="json-unless-none"
        )
        return made

    def __get_pydantic_json_schema__(self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "contentEncoding": "base64"}


def _bytes_from_json(value: Any) -> Any:
    if not isinstance(value, str):
        return _bytes_from_python(value)
    try:
        return base64.b64decode(value.translate(_STANDARD) + "=" * (-len(value) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise PydanticCustomError("bytes_base64", "text for bytes must be base64") from None


def _bytes_from_python(value: Any) -> Any:
    return bytes(cast("Any", value)) if isinstance(value, bytearray | memoryview) else value


_STANDARD = str.maketrans("-_", "+/")


class CodecInput:
    """A type of the user's own: an instance of it, or from JSON what its codec decodes."""

    def __init__(self, codec: Codec, base: Any) -> None:
        self._codec = codec
        self._base = base

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        instance = core_schema.is_instance_schema(self._codec.python_type)
        made = core_schema.lax_or_strict_schema(
            lax_schema=core_schema.no_info_wrap_validator_function(self._from_json, handler.generate_schema(self._base)),
            strict_schema=instance,
        )
        made["serialization"] = core_schema.plain_serializer_function_ser_schema(self._codec.encode, when_used="json-unless-none")
        return made

    def _from_json(self, value: Any, base: Callable[[Any], Any]) -> Any:
        if isinstance(value, self._codec.python_type):
            return value
        try:
            return self._codec.decode(base(value))
        except (ValueError, TypeError) as error:
            if isinstance(error, ValidationError):
                raise
            raise PydanticCustomError("codec", "{why}", {"why": str(error)}) from None


class Settle:
    """The last step for every field: the canonical form is made and turned back, so that an object holds what a store would return."""

    def __init__(self, type_: Type, nullable: bool, secret: bool) -> None:
        self._type = type_
        self._freeze = freezer(type_)
        self._thaw = thawer(type_, nullable)
        self._secret = secret

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self._settle, handler(source))

    def _settle(self, value: Any) -> Any:
        try:
            frozen = self._freeze(value)
        except BadOperand as error:
            why = f"is not a valid {self._type.name}" if self._secret else str(error)
            raise PydanticCustomError(f"{self._type.kind}_value", "{why}", {"why": why}) from None
        return frozen if self._thaw is None else self._thaw(frozen)


class Pending:
    """Lets the key of a parent that is not saved yet through, as None."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_wrap_validator_function(lambda value, inner: None if value is PENDING else inner(value), handler(source))


class Of:
    """Stands for another annotation."""

    def __init__(self, annotation: Any) -> None:
        self._annotation = annotation

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return handler.generate_schema(self._annotation)
