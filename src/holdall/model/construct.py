"""The slow lane: building the Pydantic dataclass, constructing, freezing and reading JSON through it, all problems at once.

Owns every call of Pydantic's validators. Must not know stores or engines.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from holdall.errors import DeclarationError, Problem, ValidationError
from holdall.model.codegen import BAD
from holdall.model.members import Member
from holdall.model.problems import problems_of, unknown
from holdall.model.spec import MISSING

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from holdall.model.base import Model
    from holdall.model.shape import Shape


def pydantic_annotation(member: Member, alone: bool = False) -> Any:
    """What Pydantic validates for a member, constraints and canonical form included; `alone` leaves out what needs a class around."""
    import pydantic

    from holdall.model.inputs import Pending, Settle

    described, spec = member.described, member.spec
    constraints = member.constraints()
    metadata = [*described.pre, *([pydantic.Field(**constraints)] if constraints else []), *described.extra, *described.post]
    made: Any = Annotated[(described.base, *metadata, Settle(member.type, member.nullable, spec.secret))]
    if member.none_allowed:
        made = made | None
    outer: list[Any] = [Pending()] if member.refers else []
    if not alone and (spec.description or spec.secret):
        outer.append(pydantic.Field(description=spec.description or None, exclude=True if spec.secret else None))
    return Annotated[(made, *outer)] if outer else made


def adapter_of(member: Member) -> TypeAdapter[Any]:
    """A validator for the member alone."""
    import pydantic

    from holdall.model.inputs import Of

    # Behind Any, because TypeAdapter takes no config for what might have one of its own, such as a dataclass.
    return pydantic.TypeAdapter(Annotated[Any, Of(pydantic_annotation(member, alone=True))], config=_config())


def _config() -> Any:
    import pydantic

    return pydantic.ConfigDict(extra="forbid", arbitrary_types_allowed=True, validate_default=True, revalidate_instances="always")


def field_check(member: Member) -> Callable[[Any], Any]:
    """The function that gives the valid value of a member, or BAD. The validator is made at the first call."""
    validate: Callable[..., Any] | None = None

    def check(value: Any) -> Any:
        nonlocal validate
        from pydantic import ValidationError as Refused

        if validate is None:
            validate = adapter_of(member).validator.validate_python
        try:
            return validate(value, strict=True)
        except Refused:
            return BAD

    return check


def partial_validator(cls: type[Model]) -> Any:
    """A validator of single fields: those of the class with the user's field validators, without what is about the whole model."""
    from pydantic_core import SchemaValidator, core_schema

    schema: Any = cls.__pydantic_core_schema__
    dataclass = _unwrapped(schema, "dataclass")
    fields = _unwrapped(dataclass["schema"], "dataclass-args")["fields"]
    alone: Any = core_schema.model_fields_schema({field["name"]: core_schema.model_field(field["schema"]) for field in fields})
    if schema["type"] == "definitions":
        alone = core_schema.definitions_schema(alone, schema["definitions"])
    return SchemaValidator(alone, dataclass.get("config"))


def _unwrapped(schema: Any, kind: str) -> Any:
    """The core schema of that kind inside the functions that validators put around it."""
    while schema["type"] != kind:
        schema = schema["schema"]
    return schema


def make_dataclass(cls: type, members: list[Member], own: frozenset[str]) -> None:
    """Turn the class into a Pydantic dataclass of these members, and take the defaults off the class again. `own` are the methods of
    dataclasses that the user wrote."""
    import pydantic
    import pydantic.dataclasses

    annotations = inspect.get_annotations(cls)
    hidden = {member.name: cls.__dict__[member.name] for member in members if member.name in cls.__dict__}
    cls.__annotations__ = {member.name: pydantic_annotation(member) for member in members}
    for member in members:
        options: dict[str, Any] = {"repr": not member.spec.secret}
        if member.default is not MISSING:
            options["default"] = member.default
        elif member.default_factory is not None:
            options["default_factory"] = member.default_factory
        setattr(cls, member.name, dataclasses.field(**options))
    where = cls.__name__
    try:
        pydantic.dataclasses.dataclass(cls, kw_only=True, config=_config(), repr="__repr__" not in own, eq="__eq__" not in own)
    except (pydantic.errors.PydanticUserError, TypeError) as error:
        raise DeclarationError(f"{where}: {str(error).splitlines()[0]}") from error
    finally:
        cls.__annotations__ = annotations
    for member in members:
        if member.name in cls.__dict__:
            delattr(cls, member.name)
        if member.name in hidden:
            setattr(cls, member.name, hidden[member.name])
        cls.__dataclass_fields__[member.name].type = member.annotation  # type: ignore[attr-defined]  # a dataclass by now


def check_default(member: Member) -> None:
    """Make the default canonical; DeclarationError if it breaks the member's own rules."""
    if member.default is MISSING or member.default is None:
        return
    import pydantic

    try:
        settled = adapter_of(member).validator.validate_python(member.default, strict=True)
    except pydantic.ValidationError as error:
        why = "; ".join(problem.message for problem in problems_of(error, ()))
        raise DeclarationError(
            f"{member.where}: the default {member.default!r} breaks the field's own rules: {why}.", hint="Change one of them."
        ) from None
    if not member.described.transforms:  # else each record runs it through the user's validators
        member.default = settled


def construct(self: Model, given: dict[str, Any], surplus: Mapping[str, Any]) -> None:
    """Set all fields of a new object; ValidationError with all problems. The constructor's slow lane."""
    cls = type(self)
    shape: Shape = cls.__shape__
    values = {name: value for name, value in given.items() if value is not MISSING}
    links = {name: values.pop(name) for name in shape.relation_names if name in values}
    problems = [unknown(name, shape.names) for name in surplus]
    problems += shape.fill_keys(values, links)
    problems += _validated(cls, values, self)
    if problems:
        raise ValidationError(cls.__name__, _ordered(problems, shape))
    if shape.custom:
        shape.note_checked(self)
    if links:
        shape.set_links(self, links)


def _validated(cls: type[Model], values: dict[str, Any], into: Model) -> list[Problem]:
    import pydantic
    from pydantic_core import ArgsKwargs

    try:
        cls.__pydantic_validator__.validate_python(ArgsKwargs((), values), strict=True, self_instance=into)
    except pydantic.ValidationError as error:
        return problems_of(error, cls.__shape__.names)
    return []


def _ordered(problems: list[Problem], shape: Shape) -> list[Problem]:
    """In the order of the fields, unknown names last."""
    places = {name: place for place, name in enumerate(shape.names)}
    return sorted(problems, key=lambda problem: places.get(str(problem.path[0]) if problem.path else "", len(places)))


def slow_freeze(self: Model) -> tuple[Any, ...]:
    """The row of an object, after Pydantic checked all of it again; ValidationError with all problems.

    Validators of the user's may turn a value into another one. Their result counts for what was changed since they last ran, not
    for what they made themselves: a password is not hashed twice.
    """
    from holdall.model.inputs import PENDING

    cls = type(self)
    shape: Shape = cls.__shape__
    held = vars(self)
    problems = [
        Problem((member.name,), "missing", "is not set; the store sets it when it saves")
        for member in shape.members
        if member.unset and member.generated != "int" and held.get(member.name) is None
    ]
    copy = cls.__new__(cls)
    values = {name: held[name] for name in shape.field_names if name in held}
    for name, field in shape.parents.items():
        if values.get(field) is None and not shape.by_name[field].none_allowed:
            problems.append(Problem((field,), "missing", f"is required; set {name}, or {field}"))
            values[field] = PENDING
    problems += _validated(cls, values, copy)
    if problems:
        raise ValidationError(cls.__name__, _ordered(problems, shape))
    unchanged = shape.unchanged(self) if shape.custom else frozenset[str]()
    if len(unchanged) < len(shape.field_names):
        for member in shape.members:
            settled = vars(copy)[member.name]
            if member.settles and settled is not PENDING and not (member.name in unchanged and member.name in shape.transforming):
                held[member.name] = settled
    if shape.custom:
        shape.note_checked(self)
    return tuple([member.frozen(held[member.name]) for member in shape.stored])


def from_json(cls: type[Model], data: Any) -> Model:
    """A new object from decoded JSON: text is taken for UUID, Decimal, datetime, …; ValidationError with all problems."""
    import pydantic

    shape: Shape = cls.__shape__
    try:
        made: Model = cls.__pydantic_validator__.validate_python(_object(cls, data))
    except pydantic.ValidationError as error:
        raise ValidationError(cls.__name__, _ordered(problems_of(error, shape.names), shape)) from None
    return made


def _object(cls: type[Model], data: Any) -> dict[str, Any]:
    """The members of a JSON object; ValidationError for anything else."""
    members = data  # stays Any
    if not isinstance(data, Mapping):
        raise ValidationError(cls.__name__, [Problem((), "object", "must be a JSON object")])
    return {str(name): value for name, value in members.items()}


def check_json(cls: type[Model], data: Any) -> dict[str, Any]:
    """Python values for some of the fields, from decoded JSON; ValidationError with all problems, unknown names included.

    Field validators run; model validators do not, because the rest is unknown: they run when the changed record is saved.
    """
    import pydantic

    shape: Shape = cls.__shape__
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, value in _object(cls, data).items():
        if name not in shape.by_name:
            problems.append(unknown(name, shape.names))
            continue
        try:
            values[name] = shape.check(name, value)
        except pydantic.ValidationError as error:
            problems += problems_of(error, ())
    if problems:
        raise ValidationError(cls.__name__, _ordered(problems, shape))
    return values


def canonical(cls: type[Model], values: Mapping[str, Any]) -> dict[str, Any]:
    """Canonical values for those names that are fields, from Python values; ValidationError with all problems."""
    import pydantic

    shape: Shape = cls.__shape__
    found: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, value in values.items():
        if name not in shape.by_name:
            continue
        try:
            found[name] = shape.by_name[name].frozen(shape.check(name, value, strict=True))
        except pydantic.ValidationError as error:
            problems += problems_of(error, ())
    if problems:
        raise ValidationError(cls.__name__, _ordered(problems, shape))
    return found
