"""Faults in the store's and the models' room: what is the same for every backend because it is done above them."""

# ruff: noqa: E501  a table with one line for each fault; the text to be replaced is what it is
# fmt: off

from __future__ import annotations

from proofs._mutation_plant import Bed

core = Bed("holdall.store.core")
core.plant("writes_when_read_only", "G1 G5", "a read-only transaction may write", "Scope.check", "if writes and scope.read_only:", "if False:")
core.plant("doom_ignored", "G2", "a transaction goes on after an error", "Scope.check", "            if scope.doomed is not None:\n", "            if False:\n")
core.plant("any_task", "G7", "a transaction may be used by another task or thread", "Scope.check", "if self.owner != owner:", "if self.owner[0] != owner[0]:", colours=("sync", "async"))
core.plant("any_thread", "G7", "a transaction may be used by another thread", "owner_here", "threading.get_ident(), task)", "0, task)", colours=("sync", "async"))
core.plant("any_process", "G7", "a transaction may be used by a forked process", "owner_here", "(os.getpid(),", "(0,")
core.plant("ended_scope", "G7 G2", "a transaction that has ended may be used", "Scope.check", '        if self.closed:\n            raise ProgrammingError("This transaction has already ended.", hint="Begin a new one.")\n        scope: Scope | None = self\n        while scope is not None:\n            if scope.closed:\n', "        scope: Scope | None = self\n        while scope is not None:\n            if False:\n")
core.plant("caught_error_commits", "G2", "a transaction in which an error was caught is committed", "_end_transaction", "if error is None and scope.doomed is None:", "if error is None:")
core.plant("caught_error_silent", "G2", "a transaction that was undone because of an error that was caught says nothing", "_end_transaction", "    if error is None and scope.doomed is not None:\n        raise", "    if False:\n        raise")
core.plant("error_commits", "G2 F4", "a block that raises is committed", "_end_transaction", "if error is None and scope.doomed is None:", "if scope.doomed is None:")
core.plant("savepoint_error_kept", "G2", "a nested block that raises keeps what it wrote", "_end_savepoint", "if error is None and scope.doomed is None:", "if scope.doomed is None:")
core.plant("savepoint_dooms", "G2", "an error in a nested block ends the outer one too", "_end_savepoint", "    if error is None:\n        outer.after_commit", "    if error is not None:\n        outer.doomed = outer.doomed or error\n    if error is None:\n        outer.after_commit")
core.plant("after_commit_always", "G4", "what is to be done after a commit is done though there was none", "_end_transaction", "    if error is None:\n        scope.committed = True\n", "    if True:\n        scope.committed = True\n")
core.plant("after_commit_of_undone", "G2 G4", "what an undone nested block put off until the commit is done", "_end_savepoint", "    if error is None:\n        outer.after_commit", "    if True:\n        outer.after_commit")
core.plant("unknown_is_rolled_back", "G3", "records whose commit may or may not have happened count as not saved", "_end_transaction", "if not isinstance(failure, OutcomeUnknown):", "if True:")
core.plant("harmless_dooms", "G2", "an error found before the store was asked ends the transaction", "doom", "isinstance(error, HoldallError) and isinstance(error, HARMLESS)", "False")
core.plant("schema_in_transaction", "F8", "tables are made inside transactions", "_prepare", "if new and scope is not None and scope.root.handle is not None:", "if False:")
core.plant("server_clock", "D4", "the store does not ask its clock", "Core.now", "instant = self.clock()", "instant = system_clock()")
core.plant("never_expires", "H6", "the store does not see that a model expires", "_prepare", "        core.expires = True\n", "        pass\n")
core.plant("lock_alone", "G5", "lock() outside a transaction is taken", "rows_of", "if select.lock is not None and scope is None:", "if False:")
core.plant("outer_rolled_back_records", "G2 G4", "records written in a transaction that was undone count as saved", "Scope.undo", "            take_back()\n", "            pass\n")
core.plant("nested_undos_lost", "G2", "records written in a nested block count as saved though the outer one was undone", "_end_savepoint", "        outer.undos += scope.undos\n", "        pass\n")

retry = Bed("holdall.store.retry")
retry.plant("never_again", "G4", "a unit of work that lost is not run again", "_policy", "stop_after_attempt(retries + 1)", "stop_after_attempt(1)", colours=("sync", "async"))
retry.plant("once_too_often", "G4", "a unit of work is run once more than asked", "_policy", "stop_after_attempt(retries + 1)", "stop_after_attempt(retries + 2)", colours=("sync", "async"))
retry.plant("any_error", "G4", "a unit of work is run again after any error", "_conflict", 'return isinstance(error, HoldallError) and error.retry == "transaction"', "return True", colours=("sync", "async"))
retry.plant("level_lost", "G4 G1", "a unit of work runs at the default level", "retrying", "store.transaction(isolation=isolation)", "store.transaction()")
retry.plant("level_lost_async", "G4 G1", "an awaited unit of work runs at the default level", "retrying_async", "store.aio.transaction(isolation=isolation)", "store.aio.transaction()", colours=("async",))
retry.plant("async_within", "G4 G2", "an awaited unit of work inside a transaction runs without a savepoint", "retrying_async", "            async with store.aio.transaction():\n                return await function(*args, **kwargs)\n", "            return await function(*args, **kwargs)\n", colours=("async",))

store = Bed("holdall.store.store")
store.plant("level_of_nested", "G1", "a nested block may ask for a level", "check_options", "    if nested:\n        raise", "    if False:\n        raise")
store.plant("async_undoomed", "G2", "an error in an awaited transaction does not end it", "Store._awithin", "            doom(scope, error)\n", "            pass\n", colours=("async",))
store.plant("undoomed", "G2", "an error in a transaction does not end it", "Store._within", "            doom(scope, error)\n", "            pass\n")

transaction = Bed("holdall.store.transaction")
transaction.plant("cancelled_commits", "G5 G4", "leaving an awaited block with an error commits it", "AsyncTransaction.__aexit__", "end(scope, why)", "end(scope, None)", colours=("async",))
transaction.plant("no_savepoint", "G2", "a block inside another one is the same block", "_Block._enter", "self._scope = Scope(core, outer, owner, *self._options)", "self._scope = outer or Scope(core, outer, owner, *self._options)")

reads = Bed("holdall.store.reads")
reads.plant("page_size_more", "H3 H2", "a page has one record too many", "page", "more, records, places = len(found) > size, found[:size]", "more, records, places = len(found) > size, found[: size + 1]")
reads.plant("page_no_more", "H3", "the last page but one is taken for the last", "page", "more, records, places = len(found) > size,", "more, records, places = len(found) > size + 1,")
reads.plant("page_back_order", "H3", "a page read backwards comes in reverse", "page", "        records.reverse()\n", "")
reads.plant("page_cursor_of_first", "H3", "the cursor to the next page stands at the first record", "page", "Place(\"next\", places[-1])", "Place(\"next\", places[0])")
reads.plant("page_ends_back", "H3", "going back there is always one more page", "page", "has_next, has_prev = (True, more) if backward else", "has_next, has_prev = (True, True) if backward else")
reads.plant("count_offset", "H2", "count() does not mind the offset", "count", "rest = max(0, int(total) - select.offset)", "rest = int(total)")
reads.plant("count_limit", "H2", "count() does not mind the limit", "count", "return rest if select.limit is None else min(rest, select.limit)", "return rest")
reads.plant("first_unordered", "H1", "first() without an order takes any record", "first", "replace(select, order=_ordered(select), limit=limit)", "replace(select, order=select.order, limit=limit)")
reads.plant("last_is_first", "H1", "last() is first()", "last", "order=reverse(_ordered(select))", "order=_ordered(select)")
reads.plant("last_nulls", "H1 B1", "last() looks for nulls at the other end", "last", "order=reverse(_ordered(select))", "order=tuple(Order(item.expr, not item.descending, item.nulls_first) for item in _ordered(select))")
reads.plant("get_expired", "H6", "get() finds expired records", "get", "core.now() if core.expires else None", "None")
reads.plant("get_many_expired", "H6", "get_many() finds expired records", "get_many", "core.backend.fetch(entity, canonical, handle, core.visible_at(), None)", "core.backend.fetch(entity, canonical, handle, None, None)")
reads.plant("limit_first", "H2", "first() of limit(0) finds a record", "first", "limit = 1 if select.limit is None else min(1, select.limit)", "limit = 1")
reads.plant("exists_limit", "H2", "exists() of limit(0) finds a record", "exists", "limit = 1 if select.limit is None else min(1, select.limit)", "limit = 1")

writes = Bed("holdall.store.writes")
writes.plant("version_not_sent", "F10", "saving does not say which version it was read at", "_patch", "item = Patch(entity, entity.row_key(old), assignments, expected)", "item = Patch(entity, entity.row_key(old), assignments, None)")
writes.plant("version_same", "F10", "saving leaves the version as it is", "_patch", "new[field.position] = expected + 1", "new[field.position] = expected")
writes.plant("delete_version", "F10", "a stale record can be deleted", "delete", "version = None if entity.version_field is None else row[entity.version_field.position]", "version = None")
writes.plant("version_start", "F10", "versions of new records begin at 0", "stamp", "setattr(record, version.name, 1)", "setattr(record, version.name, 0)")
writes.plant("upsert_made_anew", "F6", "an upsert sets what was not given to defaults", "upsert", "and (field.name in given or field.updated_at or field.always is not None)", "and True")
writes.plant("upsert_any_target", "F6", "an upsert takes any fields for its target", "_target", "        if set(fields) == set(names):\n            return fields\n", "        if True:\n            return names\n")
writes.plant("graph_order", "F5", "records that refer to each other are written in the order given", "create_graph", "        for group in groups:\n", "        for group in reversed(groups):\n")
writes.plant("cycle_unfilled", "F5", "the reference that was put off in a cycle stays null", "create_graph", "            if id(record) in postponed:\n", "            if False:\n")
writes.plant("updated_at_stays", "D4", "saving leaves the time of the last change as it is", "_patch", "new[field.position] = core.now()\n", "pass\n")

set_writes = Bed("holdall.store.set_writes")
set_writes.plant("unique_expression", "F7", "a unique field is changed by expression", "_computed", "    if unique:\n", "    if False:\n")
set_writes.plant("updated_at_skipped", "D4", "updates by query leave the time of the last change as it is", "update_where", "if field.updated_at and field.position not in assignments:", "if False:")
set_writes.plant("limit_ignored", "F1 H2", "updates and deletes by query ignore a limit", "_whole", "if select.limit is not None or select.offset or select.distinct or select.group_by:", "if select.distinct or select.group_by:")
set_writes.plant("float_into_int", "C4 C5", "an integer field takes the result of Decimal arithmetic", "_computed", '(field.type.kind == "int" and expr.type.kind != "int")', "False")

loading = Bed("holdall.store.loading")
loading.plant("limit_of_all", "H2 H1", "a limit on included records is one for all parents together", "_by_fields", "replace(select, where=where, limit=None, offset=0, consistency=level)", "replace(select, where=where, offset=0, consistency=level)")
loading.plant("include_expired", "H6", "included records may be expired", "_by_fields", "core.backend.fetch(entity, keys, handle, core.visible_at(), None)", "core.backend.fetch(entity, keys, handle, None, None)")
loading.plant("include_unordered", "H1", "included records of a relation over a link come in the order of the links", "_many_to_many", "for index in sorted(by_local.get(values, ()))]", "for index in by_local.get(values, ())]")

gates = Bed("holdall.store.gates")
LESS = "memory:?without=savepoints,row_locks,set_writes,aggregates,joins,unique,references,checks,expiry,generated_int"
gates.plant("need_open", "F1 F2 F3 H6 E7", "what a store lacks is asked of it all the same", "Kept.need", "if feature in self.lacks:", "if feature in self.lacks and not self.lacks:", on=LESS)
gates.plant("entities_open", "F2 F3 B3 H6 E7", "models that declare what a store lacks are taken", "Kept.check_entities", "        if not self.lacks:\n", "        if self.lacks:\n", on=LESS)
gates.plant("joins_open", "B2", "conditions through relations are asked of a store that lacks them", "Kept.check_select", 'if "joins" in self.lacks and', 'if "joins!" in self.lacks and', on="memory:?without=joins")
gates.plant("aggregates_open", "B4", "aggregates are asked of a store that lacks them", "Kept.check_select", 'if "aggregates" in self.lacks and', 'if "aggregates!" in self.lacks and', on=LESS)
gates.plant("locks_open", "G4", "locks are asked of a store that lacks them", "Kept.check_select", "        if select.lock is not None:\n", "        if False:\n", on=LESS)

links = Bed("holdall.store.graph")
links.plant("cycle_anyhow", "F5", "a cycle in which every reference is required is not refused", "_break_cycle", "    raise ProgrammingError(", "    waits.clear()\n    return\n    raise ProgrammingError(")

base = Bed("holdall.model.base")
base.plant("undone_version", "F10 G2", "a record whose save was undone keeps the version that was not written", "Model.__unstored__", "held[field.name] = 1 if row is None else row[field.position]", "pass")
base.plant("undone_number", "E7 G2", "a record whose creation was undone keeps the number that it had", "Model.__unstored__", "                held[field.name] = None\n", "                pass\n")

BEDS = (core, retry, store, transaction, reads, writes, set_writes, loading, gates, links, base)
