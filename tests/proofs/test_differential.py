"""What the differential proof prints can be pasted: scripts do what the programs did, and trees are read back as they were."""

from __future__ import annotations

from itertools import count
from random import Random
from typing import Any

import pytest
from proofs._faults import FAULTS
from proofs._models import NOW, literal, random_schema
from proofs._naive import Naive
from proofs._play import script
from proofs._programs import Block, Programs, count_steps, line, walk
from proofs._shrink import shrink
from proofs._source import source
from proofs._trees import Ground, Trees
from proofs._values import exact, fits, maker, same
from proofs.codec import TYPES
from proofs.differential import Pair, Stage, memory, second, shrunk

_numbers = count()


def executed(text: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": f"pasted_{next(_numbers)}"}  # models of one module may mean each other
    exec(compile(text, "<script>", "exec", dont_inherit=True), names)
    return names


@pytest.mark.parametrize("seed", range(6))
def test_the_script_of_a_program_that_agrees_passes(seed: int) -> None:
    random = Random(seed)
    schema = random_schema(random).make()
    names = executed(script(schema, Programs(schema).draw(random, 40)))
    names["test_found"]()


def test_a_script_sees_as_much_as_the_play() -> None:
    """Each step and each look at all records after a write: a script that left some out could pass for what fails."""
    random = Random(4)
    schema = random_schema(random).make()
    program = Programs(schema).draw(random, 40)
    text = script(schema, program)
    assert all(line(step).removeprefix("await ").replace("await ", "") in text for step in walk(program))
    assert text.count("with store.transaction(") == count_steps(program) - len(list(walk(program)))
    writes = sum(step.writes for step in walk(program))
    assert text.count("seen.append(look(store))") >= writes


def test_a_finding_is_a_short_script_that_fails_where_the_fault_is() -> None:
    fault = next(fault for fault in FAULTS if fault.name == "RollbackCommits")
    makes: Any = (lambda: fault.over(memory()), memory)
    random = Random(2)
    schema = random_schema(random, 2).make()
    programs, pair = Programs(schema), Pair(Stage(schema), makes, "sync")
    found = None
    while found is None:
        program = programs.draw(random, 40)
        found = pair.compare(program, third=False)
    pair.end()
    finding = shrunk(schema, program, makes, found, 2, 5.0)
    names = executed(finding.script)
    names["test_found"]()  # memory against SQLite: both are right
    names["stores"] = lambda clock: [names["Store"](make(), models=names["MODELS"], clock=clock) for make in makes]
    with pytest.raises(AssertionError):
        names["test_found"]()
    assert finding.script.count("    try:") < count_steps(program) / 2, finding.script


def test_the_third_voice_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain reading that is wrong contradicts both stores, and its script fails, since they are right."""
    monkeypatch.setattr(Naive, "member", lambda self, node, row: False)
    random = Random(1)
    found = None
    with second("sqlite, in memory") as other:
        while found is None:
            schema = random_schema(random, 2).make()
            programs, pair = Programs(schema), Pair(Stage(schema), (memory, other), "sync")
            for _ in range(10):
                program = programs.draw(random, 30)
                found = found or pair.compare(program, third=True)
                if found is not None:
                    break
            pair.end()
        assert found[1], found
        finding = shrunk(schema, program, (memory, other), found, 1, 3.0)
    with pytest.raises(AssertionError):
        executed(finding.script)["test_found"]()


def test_shrinking_finds_the_one_step_that_matters() -> None:
    random = Random(3)
    schema = random_schema(random).make()
    program = Programs(schema).draw(random, 60)
    wanted = next(step for step in walk(program) if ".count()" in step.text or ".first()" in step.text or "upsert" in step.text)

    def fails(_: Any, tried: Any) -> bool:
        return any(step.text == wanted.text for step in walk(tried))

    smaller, left = shrink(schema, program, fails, 20.0)
    assert [step.text for step in walk(left)] == [wanted.text]
    assert not any(isinstance(item, Block) for item in left)
    assert len(smaller.models) == 1


@pytest.mark.parametrize("seed", range(4))
def test_trees_are_read_back_from_their_text(seed: int) -> None:
    random = Random(seed)
    schema = random_schema(random).make()
    trees = Trees(Ground(schema.pools(), plain=True, now=NOW), random)
    for _ in range(100):
        entity = random.choice(list(schema.classes.values())).__entity__
        condition, order = trees.condition(entity), trees.order(entity)
        assert eval(source(condition), schema.namespace) == condition
        assert eval(source(order), schema.namespace) == order


@pytest.mark.parametrize("name", TYPES)
def test_values_are_canonical_and_differ(name: str) -> None:
    random = Random(7)
    make = maker(TYPES[name])
    values = [make(random) for _ in range(300)]
    assert all(fits(TYPES[name], value) for value in values)
    assert len({repr(exact(value)) for value in values}) > 1


def test_the_same_is_to_the_bit() -> None:
    from decimal import Decimal

    assert same({"a": {1, 2}, "b": 1}, {"b": 1, "a": {2, 1}})
    for one, other in ((1, True), (1, 1.0), (Decimal("1.0"), Decimal("1.00")), ([1], (1,)), (0.1 + 0.2, 0.3), ({"a": 1}, {"a": True})):
        assert not same(one, other), (one, other)


def test_literals_are_read_back() -> None:
    random = Random(5)
    schema = random_schema(random).make()
    for type_ in TYPES.values():
        make = maker(type_)
        for _ in range(40):
            value = make(random)
            assert same(eval(literal(value), schema.namespace), value)
