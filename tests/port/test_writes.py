"""Every write, alone and in batches."""

from __future__ import annotations

import uuid
from decimal import Decimal

from tests.port.entities import AUTHOR, BOOK, BOOK_LABEL, EMPLOYEE, INT, LABEL, SESSION, author, book, row
from tests.port.kit import Kit, assignments, compare, eq
from tests.port.strategies import POOLS

from holdall.backends.port import Delete, Insert, Patch, UpdateWhere
from holdall.errors import HoldallError, NotFound, UniqueViolation, Unsupported, VersionMismatch
from holdall.query import TRUE, Arith, Select, Value, key_ref, prepare
from holdall.schema import JSON_NULL

ID = uuid.UUID(int=7)


def test_rows_come_back_as_they_were(kit: Kit) -> None:
    kit.insert(AUTHOR, *(author(n) for n in (1, 2, 3)))
    for name, pool in POOLS.items():
        for number, value in enumerate(pool):
            if (name, value) in (("title", ""), ("pages", -2), ("pages", -1), ("pages", 0)):
                continue
            stored = book(id=uuid.UUID(int=number + 1), **{name: value})
            kit.insert(BOOK, stored)
            (read,) = kit.fetch(BOOK, stored[0])
            assert read == stored
            at = BOOK.by_name[name].position
            assert type(read[at]) is type(value)
            assert repr(read[at]) == repr(value) or isinstance(value, frozenset | dict)
        kit.delete_where(BOOK, TRUE)


def test_json_null_and_null_differ(kit: Kit) -> None:
    kit.insert(AUTHOR, author(1))
    kit.insert(BOOK, book(id=ID, meta=JSON_NULL))
    assert kit.get(BOOK, ID, "meta") is JSON_NULL
    kit.patch(BOOK, ID, meta=None)
    assert kit.get(BOOK, ID, "meta") is None


def test_insert_gives_keys_in_order_and_fills_in_numbers(kit: Kit) -> None:
    keys = kit.insert(AUTHOR, author(None), author(None), author(50), author(None))
    assert keys[2] == 50
    assert len(set(keys)) == 4
    assert all(type(key) is int for key in keys)
    assert [r[0] for r in kit.fetch(AUTHOR, *keys)] == keys
    (later,) = kit.insert(AUTHOR, author(None))
    assert later not in keys


def test_a_number_is_not_given_twice_after_a_failure(kit: Kit) -> None:
    kit.insert(AUTHOR, author(None, email="x"))
    kit.refused(UniqueViolation, lambda: kit.insert(AUTHOR, author(None, email="x")))
    kit.insert(AUTHOR, author(None, email="y"))
    assert len({r[0] for r in kit.rows(AUTHOR)}) == 2


def test_inserting_nothing(kit: Kit) -> None:
    assert kit.insert(LABEL) == []
    assert kit.apply() == []


def test_composite_keys(kit: Kit) -> None:
    kit.insert(AUTHOR, author(1))
    kit.insert(BOOK, book(id=ID))
    kit.insert(LABEL, ("new", 1), ("old", 2))
    keys = kit.insert(BOOK_LABEL, (ID, "new", None), (ID, "old", None))
    assert keys == [(ID, "new"), (ID, "old")]
    assert kit.fetch(BOOK_LABEL, (ID, "old"), (ID, "none")) == [(ID, "old", None), None]
    kit.delete(BOOK_LABEL, (ID, "new"))
    assert kit.rows(BOOK_LABEL) == [(ID, "old", None)]


def test_fetch_keeps_the_order_and_repeats(kit: Kit) -> None:
    kit.insert(LABEL, ("a", 1), ("b", 2))
    assert kit.fetch(LABEL, "b", "x", "a", "b") == [("b", 2), None, ("a", 1), ("b", 2)]
    assert kit.fetch(LABEL) == []


def test_a_taken_key_changes_nothing(kit: Kit) -> None:
    kit.insert(LABEL, ("a", 1))
    error = kit.refused(UniqueViolation, lambda: kit.insert(LABEL, ("b", 1), ("a", 2)))
    assert error.fields == ("name",)
    assert error.entity == "Label"
    assert kit.rows(LABEL) == [("a", 1)]
    kit.refused(UniqueViolation, lambda: kit.insert(LABEL, ("c", 1), ("c", 2)))
    assert kit.rows(LABEL) == [("a", 1)]


def test_patch(kit: Kit) -> None:
    kit.insert(AUTHOR, author(1, country="se"))
    assert kit.patch(AUTHOR, 1, name="Ada", country=None) == 1
    assert kit.fetch(AUTHOR, 1)[0][2:4] == ("Ada", None)
    assert kit.patch(AUTHOR, 1, name="Ada") == 1, "a change that changes nothing matches all the same (F1)"
    kit.refused(NotFound, lambda: kit.patch(AUTHOR, 2, name="x"))
    assert kit.patch(AUTHOR, 2, required=False, name="x") == 0


def test_versions(kit: Kit) -> None:
    kit.insert(AUTHOR, author(1))
    kit.insert(BOOK, book(id=ID, version=1, title="a"))
    assert kit.patch(BOOK, ID, version=1, title="b") == 1
    assert kit.get(BOOK, ID, "version") == 1, "a patch counts up only what it is told"
    kit.apply(Patch(BOOK, ID, assignments(BOOK, version=2), 1))
    kit.refused(VersionMismatch, lambda: kit.patch(BOOK, ID, version=1, title="c"))
    assert kit.patch(BOOK, ID, version=1, required=False, title="c") == 0
    kit.refused(VersionMismatch, lambda: kit.delete(BOOK, ID, version=1))
    assert kit.delete(BOOK, ID, version=1, required=False) == 0
    assert kit.get(BOOK, ID, "title") == "b"
    kit.refused(NotFound, lambda: kit.patch(BOOK, uuid.UUID(int=9), version=1, title="c"))
    assert kit.delete(BOOK, ID, version=2) == 1
    kit.refused(NotFound, lambda: kit.delete(BOOK, ID))
    assert kit.delete(BOOK, ID, required=False) == 0


def test_changing_a_key(kit: Kit) -> None:
    kit.insert(LABEL, ("a", 1), ("b", 2))
    assert kit.patch(LABEL, "a", name="c") == 1
    assert kit.rows(LABEL) == [("b", 2), ("c", 1)]
    kit.refused(UniqueViolation, lambda: kit.patch(LABEL, "c", name="b"))
    assert kit.rows(LABEL) == [("b", 2), ("c", 1)]


def test_upsert_by_key(kit: Kit) -> None:
    kit.insert(AUTHOR, author(1))
    status, stored = kit.upsert(BOOK, book(id=ID, title="a", version=1), ["id"], ["title"])
    assert (status, stored) == ("inserted", kit.get(BOOK, ID))
    status, stored = kit.upsert(BOOK, book(id=ID, title="b", price=Decimal("99.00"), version=1), ["id"], ["title"])
    assert (status, stored) == ("updated", kit.get(BOOK, ID))
    assert kit.get(BOOK, ID, "title") == "b"
    assert kit.get(BOOK, ID, "price") == Decimal("10.00"), "what is not in `update` stays"
    assert kit.get(BOOK, ID, "version") == 2
    status, stored = kit.upsert(BOOK, book(id=ID, title="c", version=9), ["id"], [])
    assert (status, stored) == ("ignored", kit.get(BOOK, ID))
    assert (kit.get(BOOK, ID, "title"), kit.get(BOOK, ID, "version")) == ("b", 2)


def test_upsert_by_a_unique_constraint(kit: Kit) -> None:
    status, first = kit.upsert(AUTHOR, author(None, email="x", name="X"), ["email"], ["name"])
    assert (status, type(first[0])) == ("inserted", int)
    status, second = kit.upsert(AUTHOR, author(None, email="x", name="Y"), ["email"], ["name"])
    assert (status, second) == ("updated", (first[0], "x", "Y", None, None))
    kit.insert(BOOK, book(id=ID, author_id=first[0], title="t"))
    status, stored = kit.upsert(BOOK, book(author_id=first[0], title="t", pages=3), ["author_id", "title"], ["pages"])
    assert (status, stored[0]) == ("updated", ID)
    assert kit.get(BOOK, ID, "pages") == 3
    status, _ = kit.upsert(BOOK, book(author_id=first[0], isbn=None), ["isbn"], ["pages"])
    assert status == "inserted", "null is equal to nothing (B3)"


def test_upsert_raises_for_other_constraints(kit: Kit) -> None:
    kit.insert(AUTHOR, author(1, email="x"), author(2, email="y"))
    kit.refused(UniqueViolation, lambda: kit.upsert(AUTHOR, author(3, email="x"), ["id"], ["email"]))
    kit.refused(UniqueViolation, lambda: kit.upsert(AUTHOR, author(1, email="y"), ["id"], ["email"]))
    kit.refused(UniqueViolation, lambda: kit.upsert(AUTHOR, author(1, email="z"), ["email"], ["name"]))
    assert [r[:2] for r in kit.rows(AUTHOR)] == [(1, "x"), (2, "y")]


def test_update_where(kit: Kit) -> None:
    kit.needs("set_writes")
    kit.insert(AUTHOR, author(1))
    kit.insert(BOOK, *(book(pages=n, version=n) for n in (1, 2, 3)))
    changed = kit.update_where(BOOK, compare(BOOK, "pages", "gte", 2), pages=Arith("add", key_ref(BOOK, "pages"), Value(10, INT), INT))
    assert changed == 2
    assert sorted((r[5], r[-1]) for r in kit.rows(BOOK)) == [(1, 1), (12, 3), (13, 4)]
    assert kit.update_where(BOOK, compare(BOOK, "pages", "gte", 2), in_print=True) == 2, "matched, though nothing changed (F1)"
    assert kit.update_where(BOOK, compare(BOOK, "pages", "gte", 99), in_print=False) == 0


def test_update_where_of_unique_fields(kit: Kit) -> None:
    kit.needs("set_writes")
    kit.insert(AUTHOR, author(1, email="x"), author(2, email="y"))
    kit.refused(UniqueViolation, lambda: kit.update_where(AUTHOR, TRUE, email="z"))
    assert [r[1] for r in kit.rows(AUTHOR)] == ["x", "y"]
    assert kit.update_where(AUTHOR, eq(AUTHOR, "email", "x"), email="z") == 1
    if not kit.capabilities.support("deferred_unique"):
        for entity, name in ((AUTHOR, "id"), (EMPLOYEE, "id")):
            change = assignments(entity, **{name: Arith("add", key_ref(entity, name), Value(1, INT), INT)})
            kit.refused(Unsupported, lambda c=change, e=entity: kit.apply(UpdateWhere(prepare(Select(e), kit.now), c)))


def test_delete_where(kit: Kit) -> None:
    kit.needs("set_writes")
    kit.insert(LABEL, ("a", 1), ("b", 2), ("c", 3))
    assert kit.delete_where(LABEL, compare(LABEL, "rank", "lte", 2)) == 2
    assert kit.delete_where(LABEL, compare(LABEL, "rank", "lte", 2)) == 0
    assert kit.rows(LABEL) == [("c", 3)]


def test_an_atomic_batch_is_all_or_nothing(kit: Kit) -> None:
    kit.needs("atomic_batch")
    kit.insert(LABEL, ("a", 1))
    batch = [Insert(LABEL, [("b", 1)]), Patch(LABEL, "a", assignments(LABEL, rank=9)), Delete(LABEL, "a"), Insert(LABEL, [("b", 2)])]
    kit.refused(UniqueViolation, lambda: kit.apply(*batch))
    assert kit.rows(LABEL) == [("a", 1)]
    assert kit.apply(*batch[:3], Insert(LABEL, [("a", 5)])) == [["b"], 1, 1, ["a"]]
    assert kit.rows(LABEL) == [("a", 5), ("b", 1)]


def test_a_batch_item_by_item(kit: Kit) -> None:
    kit.insert(LABEL, ("a", 1))
    results = kit.apply(
        Insert(LABEL, [("b", 1)]),
        Insert(LABEL, [("c", 1), ("a", 2)]),
        Delete(LABEL, "x"),
        Patch(LABEL, "a", assignments(LABEL, rank=3)),
        atomicity="per_item",
    )
    assert results[0] == ["b"]
    assert isinstance(results[1], UniqueViolation)
    assert isinstance(results[2], NotFound)
    assert results[3] == 1
    assert all(isinstance(r, HoldallError) for r in results[1:3])
    assert kit.rows(LABEL) == [("a", 3), ("b", 1)], "an item is whole or not at all"


def test_what_was_handed_over_is_not_kept(kit: Kit) -> None:
    rows = [("a", 1), ("b", 2)]
    kit.apply(Insert(LABEL, rows))
    rows.clear()
    found = kit.rows(LABEL)
    found.clear()
    assert kit.rows(LABEL) == [("a", 1), ("b", 2)]


def test_reset_takes_everything(kit: Kit) -> None:
    kit.insert(AUTHOR, author(1))
    kit.insert(BOOK, book())
    kit.do(kit.backend.reset([AUTHOR]))
    assert (kit.count(AUTHOR), kit.count(BOOK)) == (0, 1)
    kit.do(kit.backend.reset([BOOK, SESSION]))
    assert kit.count(BOOK) == 0
    kit.insert(AUTHOR, author(1))


def test_schema_twice_and_a_row_of_every_entity(kit: Kit) -> None:
    kit.do(kit.backend.ensure_schema([BOOK]))
    kit.do(kit.backend.ping())
    kit.insert(AUTHOR, author(1))
    kit.insert(SESSION, row(SESSION, token="t", hits=1))
    assert kit.count(SESSION) == 1
