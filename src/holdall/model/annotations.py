"""Reading the annotations of a class body, also as text and with names that are declared later.

Owns evaluation. Must not know fields, relations or models.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Mapping
from types import FrameType, NoneType, UnionType
from typing import Any, ClassVar, ForwardRef, Union, get_args, get_origin

from holdall.errors import DeclarationError, near_name


class Later:
    """A name that is not known yet, inside an annotation that is being read."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __or__(self, other: Any) -> Any:
        return Union[ForwardRef(self.name), other]  # noqa: UP007 - Later is no type, so | would come back here

    __ror__ = __or__

    def __getattr__(self, name: str) -> Later:
        if name.startswith("__"):
            raise AttributeError(name)
        return Later(f"{self.name}.{name}")

    def __call__(self) -> None:
        """Only there because typing.Optional[…] demands something callable."""


class Names(dict[str, Any]):
    """Where a name of an annotation is looked up: the frame of the class statement, its module, builtins; else it is `Later`."""

    def __init__(self, frame: FrameType, lenient: bool) -> None:
        super().__init__()
        self._places = (frame.f_locals, frame.f_globals, vars(builtins))
        self._lenient = lenient

    def __missing__(self, name: str) -> Any:
        for place in self._places:
            if name in place:
                return place[name]
        if self._lenient:
            return Later(name)
        raise NameError(name)

    def known(self) -> list[str]:
        """All names that could have been meant."""
        return [name for place in self._places[:2] for name in place]


def own_annotations(namespace: Mapping[str, Any]) -> dict[str, Any]:
    """The annotations of a class body, as they were written."""
    found = namespace.get("__annotations__")
    if found is None and sys.version_info >= (3, 14):
        import annotationlib

        annotate = annotationlib.get_annotate_from_class_namespace(namespace)
        found = annotate and annotationlib.call_annotate_function(annotate, annotationlib.Format.FORWARDREF)
    return dict(found or {})


def is_class_var(annotation: Any) -> bool:
    """Whether it says ClassVar, so that the name is no field."""
    if isinstance(annotation, str):
        return annotation.replace("typing.", "").startswith("ClassVar")
    return annotation is ClassVar or get_origin(annotation) is ClassVar


def read_annotation(annotation: Any, frame: FrameType, where: str) -> Any:
    """The annotation of a field; DeclarationError if it names something that is not known."""
    text = annotation.__forward_arg__ if isinstance(annotation, ForwardRef) else annotation
    if not isinstance(text, str):
        return annotation
    names = Names(frame, lenient=False)
    try:
        return eval(text, {"__builtins__": {}}, names)  # noqa: S307 - the text is the annotation in the program itself
    except NameError as error:
        name = str(error.args[0]) if error.args else text
        raise DeclarationError(
            f"{where}: the annotation '{text}' names '{name}', which is not defined here.",
            hint=near_name(name, names.known()) if len(name) > 2 else "",
        ) from None
    except Exception as error:  # noqa: BLE001 - the text may do anything
        raise DeclarationError(f"{where}: the annotation '{text}' cannot be read: {error}.") from None


def read_target(annotation: Any, frame: FrameType, where: str) -> tuple[Any, bool, bool, bool]:
    """What a relation's annotation leads to: (class or name, whether list[…], whether | None, whether it was written as text)."""
    as_text = isinstance(annotation, str)
    if isinstance(annotation, str):
        try:
            annotation = eval(annotation, {"__builtins__": {}}, Names(frame, lenient=True))  # noqa: S307 - as above
        except Exception as error:  # noqa: BLE001 - as above
            raise DeclarationError(f"{where}: the annotation '{annotation}' cannot be read: {error}.") from None
    optional = False
    if get_origin(annotation) in (Union, UnionType):
        members = [member for member in get_args(annotation) if member not in (NoneType, None)]
        optional = len(members) < len(get_args(annotation))
        if len(members) != 1:
            raise DeclarationError(f"{where}: a relation leads to one model.", hint="Write one class, or one class | None.")
        annotation = members[0]
    many = get_origin(annotation) is list
    if many:
        (annotation,) = get_args(annotation)
    if isinstance(annotation, Later):
        annotation = annotation.name
    if isinstance(annotation, ForwardRef):
        annotation = annotation.__forward_arg__
    if isinstance(annotation, str) and (annotation.endswith("| None") or annotation.startswith("Optional[")):
        optional, annotation = True, annotation.removesuffix("| None").removeprefix("Optional[").rstrip(" ]")
    if not isinstance(annotation, str | type):
        raise DeclarationError(f"{where}: {annotation!r} is no model.", hint="Annotate a relation with a model class or its name.")
    return annotation, many, optional, as_text
