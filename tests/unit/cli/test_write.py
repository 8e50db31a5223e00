"""create, update, delete: typed values, all problems at once, all or nothing."""

from __future__ import annotations

import json

from tests.unit.cli.support import ADA, BOB, Run


def test_values_are_typed_by_the_model(shop: Run) -> None:
    made = shop(
        "create", "shop.py", "Order", "id=7", f"customer_id={ADA}", "total=1.5", "paid=true", "placed_at=2026-05-01T10:00:00+02:00",
        "took=PT2H", "-o", "json",
    )  # fmt: skip
    assert made.exit_code == 0, made.stderr
    assert json.loads(made.stdout) == {
        "id": 7, "customer_id": ADA, "total": "1.50", "paid": True, "placed_at": "2026-05-01T08:00:00Z", "took": "PT7200S", "version": 1,
    }  # fmt: skip
    assert json.loads(shop("get", "shop.py", "Order", "7", "-o", "json").stdout) == json.loads(made.stdout)
    assert made.stderr == "Created 1 Order.\n"


def test_text_stays_text_and_json_is_json(shop: Run) -> None:
    made = shop(
        "create", "shop.py", "Customer", "name=123", "email=n@example.com", "note=null", 'tags=["x"]', "data=plain text", "-o", "json"
    )
    assert made.exit_code == 0, made.stderr
    values = json.loads(made.stdout)
    assert (values["name"], values["note"], values["tags"], values["data"]) == ("123", "null", ["x"], "plain text")
    made = shop("create", "shop.py", "Customer", "name=b=c", "email=b@example.com", "note:=null", 'data:={"a": [1]}', "-o", "json")
    values = json.loads(made.stdout)
    assert (values["name"], values["note"], values["data"]) == ("b=c", None, {"a": [1]})


def test_all_problems_at_once_and_nothing_done(shop: Run) -> None:
    result = shop("create", "shop.py", "Customer", "name=" + "x" * 21, "email=nonsense", "tags=[1]")
    assert (result.exit_code, result.stdout) == (4, "")
    assert "3 problems" in result.stderr
    for name in ("email:", "name:", "tags.0:"):
        assert name in result.stderr
    assert shop("get", "shop.py", "Customer", "--count").stdout == "2\n"


def test_a_missing_value_is_a_problem(shop: Run) -> None:
    result = shop("create", "shop.py", "Customer", "name=Eve")
    assert result.exit_code == 4
    assert "email: is required" in result.stderr


def test_unknown_fields_are_a_mistake_of_usage(shop: Run) -> None:
    result = shop("create", "shop.py", "Order", "totl=3", "customr_id=x")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Did you mean 'total'?" in result.stderr
    assert "Did you mean 'customer_id'?" in result.stderr
    assert "give customer_id" in shop("create", "shop.py", "Order", "customer=Ada").stderr
    for args in (["total"], ["total=1", "total=2"], [], ["tags=[1"], ["total:=x"]):
        assert shop("create", "shop.py", "Order" if "tags=[1" not in args else "Customer", *args).exit_code == 2


def test_lists_from_stdin_are_all_or_nothing(shop: Run) -> None:
    items = [{"name": "C", "email": "c@example.com"}, {"name": "D", "email": "ada@example.com"}]
    taken = shop("create", "shop.py", "Customer", "-", input=json.dumps(items))
    assert (taken.exit_code, taken.stdout) == (4, "")
    assert "email" in taken.stderr
    assert shop("get", "shop.py", "Customer", "--count").stdout == "2\n"
    bad = shop("create", "shop.py", "Customer", "-", input='[{"name": "C", "email": "c"}, {"nme": "D", "email": "d@example.com"}, 3]')
    assert bad.exit_code == 4
    for text in ("0.email:", "1.name: is required", "1.nme:", "2: must be a JSON object"):
        assert text in bad.stderr
    for text in ("", "{", "\x00"):
        assert shop("create", "shop.py", "Customer", "-", input=text).exit_code in (2, 4)
    assert shop("create", "shop.py", "Customer", "-", input="[]").exit_code == 0


def test_update_one_record(shop: Run) -> None:
    changed = shop("update", "shop.py", "Order", "1", "total=3", "took:=null", "-o", "json")
    assert changed.exit_code == 0, changed.stderr
    values = json.loads(changed.stdout)
    assert (values["total"], values["took"], values["version"]) == ("3.00", None, 2)
    assert json.loads(shop("get", "shop.py", "Order", "1", "-o", "json").stdout) == values


def test_update_refuses(shop: Run) -> None:
    before = shop("get", "shop.py", "Order", "-o", "json").stdout
    for args, code, text in [
        (["99", "total=3"], 1, "There is no Order with the key 99"),
        (["1", "total=-1", "placed_at=x"], 4, "2 problems"),
        (["1", "total=1.005"], 4, "total"),
        (["1", f"customer_id={ADA[:-1]}9"], 4, "customer_id"),
        (["1", "id=5"], 2, "is the key of Order"),
        (["1", "totl=5"], 2, "Did you mean 'total'?"),
        (["1"], 2, "no values"),
        (["x", "total=5"], 2, "'x' is not an int"),
    ]:
        result = shop("update", "shop.py", "Order", *args)
        assert (result.exit_code, result.stdout) == (code, ""), result.stderr
        assert text in result.stderr
    assert shop("get", "shop.py", "Order", "-o", "json").stdout == before


def test_delete_is_all_or_nothing(shop: Run) -> None:
    assert shop("delete", "shop.py", "Order", "1", "99").exit_code == 1
    assert shop("get", "shop.py", "Order", "--count").stdout == "3\n"
    assert shop("delete", "shop.py", "Customer", BOB).exit_code == 4, "an order refers to him"
    done = shop("delete", "shop.py", "Order", "1", "2", "3")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "Deleted 3 Order" in done.stderr
    assert shop("delete", "shop.py", "Customer", BOB).exit_code == 0
