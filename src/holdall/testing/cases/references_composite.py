"""F3 at the port: references of several fields, which models do not declare but inspected databases have."""

from __future__ import annotations

from typing import Any

from holdall.errors import ForeignKeyViolation
from holdall.schema import Entity, EntityRef, Field, OnDelete, Reference, Type
from holdall.testing.case import case
from holdall.testing.kit import Kit
from holdall.testing.models.naming import named

STR, INT = Type("str"), Type("int")


def _fields(*parts: tuple[str, Type, bool]) -> tuple[Field, ...]:
    return tuple(Field(name, name, type_, place, nullable=nullable) for place, (name, type_, nullable) in enumerate(parts))


PLOT = Entity("Plot", named("f_plots"), _fields(("town", STR, False), ("number", INT, False), ("note", STR, True)), ("town", "number"))


def _child(name: str, on_delete: OnDelete) -> Entity:
    """Refers to a plot, naming the fields in another order than the key has them."""
    reference = Reference(("plot", "place"), EntityRef("Plot", lambda: PLOT), ("number", "town"), on_delete)
    fields = _fields(("id", INT, False), ("place", STR, True), ("plot", INT, True))
    return Entity(name, named(f"f_{name.lower()}"), fields, ("id",), references=(reference,))


FENCE, SHED, SIGN = _child("Fence", "restrict"), _child("Shed", "cascade"), _child("Sign", "set_null")
RULES = {"restrict": FENCE, "cascade": SHED, "set null": SIGN}


async def _plots(k: Kit) -> None:
    await k.do(k.backend.ensure_schema([PLOT, FENCE, SHED, SIGN]))
    await k.insert(PLOT, ("A", 1, None), ("A", 2, None), ("B", 1, None))


@case("F3", needs="references", each=RULES)
async def a_reference_of_two_fields_needs_the_whole_key(k: Kit, child: Entity) -> None:
    await _plots(k)
    await k.insert(child, (1, "A", 2), (2, "B", 1))
    for place, plot in (("B", 2), ("C", 1), ("A", 3), ("a", 1)):
        with k.refused(ForeignKeyViolation, entity=child.name, fields=("plot", "place")):
            await k.insert(child, (3, place, plot))
        with k.refused(ForeignKeyViolation, fields=("plot", "place")):
            await k.patch(child, 1, place=place, plot=plot)
    assert await k.rows(child) == [(1, "A", 2), (2, "B", 1)]


@case("F3", needs="references", each={"one": (None, 9), "the other": ("C", None), "both": (None, None)})
async def a_reference_of_two_fields_with_a_null_is_not_checked(k: Kit, place: Any, plot: Any) -> None:
    await _plots(k)
    for child in RULES.values():
        await k.insert(child, (1, place, plot))
        assert await k.rows(child) == [(1, place, plot)]


@case("F3", needs="references")
async def a_plot_that_is_referred_to_whole_is_restricted(k: Kit) -> None:
    await _plots(k)
    await k.insert(FENCE, (1, "A", 1), (2, None, 2), (3, "A", None))
    with k.refused(ForeignKeyViolation, entity="Fence", fields=("plot", "place")):
        await k.delete(PLOT, ("A", 1))
    assert await k.delete(PLOT, ("A", 2)) == 1
    assert await k.delete(PLOT, ("B", 1)) == 1
    assert [row[:2] for row in await k.rows(PLOT)] == [("A", 1)]


@case("F3", needs="references")
async def what_refers_to_the_whole_key_goes(k: Kit) -> None:
    await _plots(k)
    await k.insert(SHED, (1, "A", 1), (2, "A", 2), (3, "B", 1), (4, "A", None))
    await k.delete(PLOT, ("A", 1))
    assert await k.rows(SHED) == [(2, "A", 2), (3, "B", 1), (4, "A", None)]


@case("F3", needs="references")
async def what_refers_to_the_whole_key_forgets_it_whole(k: Kit) -> None:
    await _plots(k)
    await k.insert(SIGN, (1, "A", 1), (2, "A", 2))
    await k.delete(PLOT, ("A", 1))
    assert await k.rows(SIGN) == [(1, None, None), (2, "A", 2)]
