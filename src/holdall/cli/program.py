"""Program: from `shop.py`, `shop` or `shop.py:store` to a store and its models.

Owns running the user's file as Python would run it, and explaining in the user's own lines why it cannot be. Must not know any command.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Generator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from itertools import count
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any

from holdall.cli.failures import REFUSED, Failure
from holdall.errors import HoldallError, near_name

if TYPE_CHECKING:
    from holdall.model import Model
    from holdall.store import Store


@dataclass(frozen=True, slots=True)
class Program:
    """What a PROGRAM argument means: `name` as people typed it, the store (None if there is none), and the models by their names."""

    name: str
    store: Store | None
    models: dict[str, type[Model]]

    @property
    def home(self) -> Store:
        """The store; Failure if the program has none."""
        if self.store is None:
            raise Failure(
                f"{self.name} holds no Store.", hint='Add one (store = Store("sqlite:///shop.db")), or say which with --store URL.'
            )
        return self.store

    def model(self, name: str) -> type[Model]:
        """The model of that name; Failure with a near name if there is none."""
        found = self.models.get(name)
        if found is None:
            raise Failure(f"{self.name} has no model '{name}'.", hint=near_name(name, self.models))
        return found


@contextmanager
def opened(target: str, url: str | None = None) -> Generator[Program]:
    """The program of a PROGRAM argument, its store ambient and closed at the end. `url` takes the place of the program's own store."""
    from holdall.store import Store

    program = load(target)
    if program.store is None and url is None:
        yield program
        return
    if program.store is None:
        assert url is not None
        program = Program(program.name, Store(url, models=program.models.values()), program.models)
    elif url is not None:
        with program.store.replaced_by(url):
            yield program
        return
    assert program.store is not None
    try:
        with program.store:
            yield program
    finally:
        program.store.close()


def load(target: str) -> Program:
    """Import what a PROGRAM argument names, and find the store and the models in it; Failure if it cannot be."""
    place, attribute = _parts(target)
    module = _from_file(place, target) if _is_file(place) else _from_name(place, target)
    store = _store_of(module, place, attribute)
    return Program(place, store, _models_of(module, store))


def _parts(target: str) -> tuple[str, str]:
    """File or module, and the attribute behind the last colon ('' if none). C:\\shop.py has no attribute."""
    place, colon, attribute = target.rpartition(":")
    if not colon or not attribute.replace(".", "_").isidentifier() or (len(place) == 1 and not Path(target).exists()):
        return target, ""
    return place, attribute


def _is_file(place: str) -> bool:
    return place.endswith(".py") or "/" in place or "\\" in place


def _from_file(place: str, target: str) -> ModuleType:
    path = Path(place)
    if path.is_dir():
        raise Failure(f"{place} is a folder; a program is a Python file.", hint=_python_files(path))
    if not path.exists():
        raise Failure(f"There is no file {place}.", hint=_python_files(path.parent if path.parent.is_dir() else Path()))
    path = path.resolve()
    sys.path.insert(0, str(path.parent))  # as `python shop.py` does, so that it can import its neighbours
    name = path.stem
    if not name.isidentifier() or name in sys.modules or name in sys.stdlib_module_names:
        # A name that nobody has: models are told apart by their modules, also from those of an earlier import in this process.
        base = f"holdall_program_{''.join(sign if sign.isalnum() else '_' for sign in name)}"
        name = next(free for number in count(1) if (free := f"{base}_{number}") not in sys.modules)
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise Failure(f"{place} is not a Python file.", hint="A program is a file such as shop.py, or the name of a module.")
    module = module_from_spec(spec)
    sys.modules[name] = module  # Pydantic looks annotations up there
    loader = spec.loader
    _run(lambda: loader.exec_module(module), target, path.parent)
    return module


def _python_files(folder: Path) -> str:
    names = sorted(path.name for path in folder.glob("*.py"))[:8]
    return f"Python files there: {', '.join(names)}." if names else "A program is a Python file such as shop.py; 'holdall demo' writes one."


def _from_name(place: str, target: str) -> ModuleType:
    if not all(part.isidentifier() for part in place.split(".")):
        raise Failure(f"'{target}' is neither a Python file nor the name of a module.", hint="For example shop.py, shop or shop.py:store.")
    here = Path.cwd()
    sys.path.insert(0, str(here))
    found: list[ModuleType] = []
    try:
        _run(lambda: found.append(import_module(place)), target, here)
    except ModuleNotFoundError as error:
        if error.name is None or not (place == error.name or place.startswith(f"{error.name}.")):
            raise
        near = near_name(place, [path.stem for path in here.glob("*.py")])
        raise Failure(f"There is no module '{place}' here or on the Python path.", hint=near) from None
    return found[0]


def _run(what: Any, target: str, folder: Path) -> None:
    """Import the user's code: what it prints goes to stderr, because stdout is for data; its errors are shown at its own lines."""
    try:
        with redirect_stdout(sys.stderr):
            what()
    except ModuleNotFoundError as error:
        if error.name is not None and _parts(target)[0].split(".")[0] == error.name.split(".")[0]:
            raise
        raise _broken(error, target, folder) from error
    except SystemExit as end:
        hint = "Put what it does behind: if __name__ == '__main__':"
        raise Failure(f"{target} ended itself ({end.code!r}) while it was imported.", hint=hint) from None
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise _broken(error, target, folder) from error


def _broken(error: BaseException, target: str, folder: Path) -> Failure:
    """What is wrong in the user's file, with the user's line."""
    lines = [f"{target} cannot be imported."]
    if isinstance(error, SyntaxError):
        lines += [f"  {line}" for line in "".join(traceback.format_exception_only(error)).rstrip().splitlines()]
    else:
        frames = _user_frames(error.__traceback__, folder)
        for place, frame in enumerate(frames):
            if frame is frames[-1] or frames[place + 1].filename != frame.filename:  # the innermost line of each file says enough
                lines += [f"  {_short(frame.filename)}, line {frame.lineno}:", f"    {frame.line}"]
        what = str(error) if isinstance(error, HoldallError) else "".join(traceback.format_exception_only(error)).strip()
        if isinstance(error, ImportError) and error.path is not None:
            what = what.removesuffix(f" ({error.path})")
        if isinstance(error, NameError) and "Did you mean" not in what:
            what += _meant(error.name)
        lines += [f"  {line}" for line in what.splitlines()]
    hint = 'It is imported, not run: put what it does behind if __name__ == "__main__":' if _does_io(error) else ""
    if isinstance(error, HoldallError) and not _does_io(error):
        return Failure("\n".join(lines))
    return Failure("\n".join(lines), hint=hint)


def _meant(name: str | None) -> str:
    import holdall

    near = near_name(name or "", holdall.__all__)
    return f". {near}" if near.startswith("Did") else ""


def _does_io(error: BaseException) -> bool:
    """Whether the error shows that the file works with a store while it is imported."""
    from holdall.errors import DeclarationError

    return isinstance(error, HoldallError) and not isinstance(error, DeclarationError)


def _user_frames(trace: TracebackType | None, folder: Path) -> Sequence[traceback.FrameSummary]:
    """The frames in files of the user's folder, outermost first; all of them if there are none."""
    frames = traceback.extract_tb(trace)
    mine = [frame for frame in frames if Path(frame.filename).is_relative_to(folder) and "site-packages" not in frame.filename]
    return mine or [frame for frame in frames if "importlib" not in frame.filename and "/holdall/" not in frame.filename]


def _short(filename: str) -> str:
    path = Path(filename)
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else filename


def _store_of(module: ModuleType, place: str, attribute: str) -> Store | None:
    """The store that the attribute names, or the only one in the module; None if there is none."""
    from holdall.store import Store

    stores = {name: value for name, value in vars(module).items() if isinstance(value, Store)}
    if attribute:
        value: Any = module
        for part in attribute.split("."):
            value = getattr(value, part, None)
        if isinstance(value, Store):
            return value
        hint = near_name(attribute, stores) or 'Add one: store = Store("sqlite:///shop.db").'
        raise Failure(f"{place} has no store '{attribute}'.", hint=hint)
    first_names: dict[int, str] = {}
    for name, value in stores.items():
        first_names.setdefault(id(value), name)
    distinct = list(first_names.values())
    if len(distinct) > 1:
        choices = " or ".join(f"{place}:{name}" for name in distinct)
        raise Failure(f"{place} has several stores: {', '.join(distinct)}.", hint=f"Choose one: {choices}.")
    return stores[distinct[0]] if distinct else _bound_store(module, place)


def _declared(module: ModuleType) -> list[type[Model]]:
    """The models that the module's names stand for."""
    from holdall.model import Model

    found: dict[type[Model], None] = {}
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, Model) and "__entity__" in vars(value):
            found[value] = None
    return list(found)


def _bound_store(module: ModuleType, place: str) -> Store | None:
    """The store that the models of the module are bound to, when it has no name there."""
    stores: dict[int, Any] = {}
    for model in _declared(module):
        if model.__store__ is not None:
            stores[id(model.__store__)] = model.__store__
    if len(stores) > 1:
        raise Failure(f"The models of {place} are bound to several stores.", hint=f"Give them names there and choose one: {place}:store.")
    return next(iter(stores.values()), None)


def _models_of(module: ModuleType, store: Store | None) -> dict[str, type[Model]]:
    """The models that the module declares or imports and those they are related to, but none that is bound to another store."""
    from holdall.model import linked_models

    declared = _declared(module)
    found: dict[type[Model], None] = dict.fromkeys(declared)
    if store is not None:
        found.update(dict.fromkeys(store.models))
    for model in list(found):
        # Of the module's own models only those that still have a name there: it may be imported for the second time.
        others = [other for other in linked_models(model) if other.__module__ != module.__name__ or "." in other.__qualname__]
        found.update(dict.fromkeys(others))
    named: dict[str, type[Model]] = {}
    for model in found:
        if store is not None and model.__store__ is not None and model.__store__ is not store:
            continue
        other = named.setdefault(model.__name__, model)
        if other is not model:
            raise Failure(
                f"There are two models named {model.__name__}: {other.__module__}.{other.__qualname__} and "
                f"{model.__module__}.{model.__qualname__}.",
                hint="Rename one; the command line knows models by their names.",
                code=REFUSED,
            )
    return named
