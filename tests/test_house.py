"""The order of the house: which folder may import which, which room inside a folder, and how full a room may be."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import ROOT

# What each folder may import of the others. Benchmarks and tests may import all.
FOLDERS: dict[str, set[str]] = {
    "training": set(),
    "export": {"training"},
    "scoring": set(),
    "model_server": set(),
    "serving_config": {"model_server"},
    "gateway": set(),
    "client/intent_client": set(),
    "cloudformation": {"serving_config"},
}

# Inside a folder: the rooms from the ground up. Each may import those of the lines above it, and no other.
# A room is a subpackage or a module of the folder; ROOT_ROOM is every module of the folder itself that is not listed.
ROOT_ROOM = "root"
ROOMS: dict[str, list[set[str]]] = {
    "gateway": [
        {"errors"},
        {"settings"},
        {"telemetry"},
        {"upstream", "api_keys"},
        {"api"},
        {"pages"},
        {ROOT_ROOM},
    ],
    "model_server": [
        {"errors", "process"},
        {"command_line", "metrics"},
        {"config"},
        {"graph"},
        {"batching", "inference"},
        {"versions"},
        {"rest", "rpc"},
        {ROOT_ROOM},
    ],
    "training": [{"errors"}, {"data"}, {"encoder"}, {"fit"}, {"report"}, {ROOT_ROOM}],
    "cloudformation": [{"errors"}, {"template"}, {"operate"}, {ROOT_ROOM}],
}
# Each benchmark has a folder of its own, and none imports another; `report` reads the figures of all.
BENCHMARKS = "benchmarks"
MOST_MODULES = 16


def _modules(folder: str) -> list[Path]:
    return sorted(path for path in (ROOT / folder).rglob("*.py") if "__pycache__" not in path.parts)


def _name(path: Path) -> str:
    """As it is imported. The client is a distribution of its own."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts).removeprefix("client.").removesuffix(".__init__")


def _imported(path: Path) -> Iterator[str]:
    """The modules that a file imports, wherever in it the import stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            # `from package import module` names a module only here.
            yield from (f"{node.module}.{each.name}" for each in node.names)


def _imports(folder: str) -> Iterator[tuple[str, str]]:
    """(importing module, imported module) for every import in the folder."""
    return ((_name(path), imported) for path in _modules(folder) for imported in _imported(path))


def _exist(folder: str, rooms: set[str]) -> bool:
    return all((ROOT / folder / room).is_dir() or (ROOT / folder / f"{room}.py").exists() for room in rooms)


def _room(module: str, rooms: set[str]) -> str:
    second = module.split(".")[1] if "." in module else ROOT_ROOM
    return second if second in rooms else ROOT_ROOM


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_imports_only_the_folders_it_may(folder: str) -> None:
    own = folder.rpartition("/")[2]
    house = {each.rpartition("/")[2] for each in FOLDERS} | {BENCHMARKS, "tests"}
    wrong = [
        f"{module} imports {imported}"
        for module, imported in _imports(folder)
        if (other := imported.split(".")[0]) in house and other != own and other not in FOLDERS[folder]
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("folder", ROOMS)
def test_a_room_imports_only_rooms_below_it(folder: str) -> None:
    levels = {room: level for level, group in enumerate(ROOMS[folder]) for room in group}
    assert _exist(folder, set(levels) - {ROOT_ROOM}), f"{folder} lacks a room that is listed above"
    wrong = []
    for module, imported in _imports(folder):
        if imported.split(".")[0] != folder or "." not in imported:
            continue
        upper, lower = _room(module, set(levels)), _room(imported, set(levels))
        if upper != lower and levels[upper] <= levels[lower]:
            wrong.append(f"{module} imports {imported}, but {lower} is not below {upper}")
    assert not wrong, "\n".join(wrong)


def test_no_benchmark_imports_another() -> None:
    alone = {path.name for path in (ROOT / BENCHMARKS).iterdir() if (path / "__init__.py").exists()} - {
        "shared",
        "report",
    }
    wrong = []
    for module, imported in _imports(BENCHMARKS):
        if imported.split(".")[0] != BENCHMARKS:
            continue
        upper, lower = _room(module, alone | {"shared"}), _room(imported, alone | {"shared"})
        if upper != lower and (upper == "shared" or (upper in alone and lower != "shared")):
            wrong.append(f"{module} imports {imported}, but {lower} is not below {upper}")
    assert not wrong, "\n".join(wrong)


def test_no_folder_is_a_heap() -> None:
    counts: dict[Path, int] = {}
    for top in (*FOLDERS, BENCHMARKS, "tests"):
        for path in _modules(top):
            if path.name != "__init__.py":
                counts[path.parent] = counts.get(path.parent, 0) + 1
    heaps = {str(folder.relative_to(ROOT)): count for folder, count in counts.items() if count > MOST_MODULES}
    assert not heaps, f"more than {MOST_MODULES} modules: {heaps}"
