"""A release: everything that an image is made from, packed so that the same files always give the same bytes."""

import gzip
import hashlib
import io
import json
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cloudformation.errors import FleetError

ROOT = Path(__file__).parents[2]
MANIFEST = "RELEASE.json"

_CODE = {".py", ".binpb", ".config", ".css", ".js", ".html", ".svg"}
_LOCKS = {"requirements.txt", "requirements-tracing.txt"}
_NOT_DEPLOYED = {"Dockerfile", "requirements.in", "requirements-tracing.in"}
_CACHES = {"__pycache__"}


@dataclass(frozen=True)
class Archive:
    """A packed release on disk."""

    path: Path
    sha256: str


@dataclass(frozen=True)
class Release:
    """The files of one release, by their names in the archive, and what identifies them."""

    name: str
    """With hyphens between: the model version, 12 hexadecimal digits of the SHA-256 over names, modes and contents of
    all files, and the label if there is one.
    """
    files: tuple[tuple[str, Path], ...]
    """In the order of the archive."""
    manifest: bytes
    """RELEASE.json."""

    @property
    def key(self) -> str:
        """Where the bucket keeps it."""
        return f"releases/release-{self.name.split('-')[1]}.tar.gz"

    def pack(self, folder: Path) -> Archive:
        """Writes the archive into the folder: no times, no owners, names in order, so that the bytes depend on the
        files alone.
        """
        path = folder / Path(self.key).name
        with (
            path.open("wb") as raw,
            gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w") as archive,
        ):
            self._add(archive, MANIFEST, 0o644, io.BytesIO(self.manifest), len(self.manifest))
            for name, source in self.files:
                with source.open("rb") as content:
                    self._add(archive, name, _mode(source), content, source.stat().st_size)
        with path.open("rb") as written:
            return Archive(path, hashlib.file_digest(written, "sha256").hexdigest())

    def _add(self, archive: tarfile.TarFile, name: str, mode: int, content: io.BufferedIOBase, size: int) -> None:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = size, mode
        archive.addfile(entry, content)


def collect(models: Path, version: int | None, label: str, root: Path = ROOT) -> Release:
    """The release of this checkout's gateway and configuration with one model version.

    Args:
        models: the folder that holds intent/<version>.
        version: the model version; None: the newest.
        label: 0 to 16 small letters and digits that make another release of the same files, such as for a newer parent
            image.

    Raises:
        FleetError: no such version or label, or a file lies among the code that is not known to belong there.
    """
    if not re.fullmatch("[0-9a-z]{0,16}", label):
        raise FleetError(f"the label {label!r} is not 1 to 16 small letters and digits, such as 20261201")
    model = _model(models / "intent", version)
    files = sorted(
        [
            *_code(root, "gateway"),
            *_code(root, "serving_config"),
            *_tree(root / "cloudformation/image", "cloudformation/image"),
            *_tree(model, f"models/intent/{model.name}"),
        ]
    )
    checksums = {name: _sha256(path) for name, path in files}
    lines = [f"{checksums[name]} {_mode(path):o} {name}\n" for name, path in files]
    digest = hashlib.sha256("".join([label, "\n", *lines]).encode()).hexdigest()
    name = "-".join([model.name, digest[:12], *([label] if label else [])])
    manifest = {"name": name, "model_version": int(model.name), "label": label, "sha256": checksums}
    return Release(name, tuple(files), json.dumps(manifest, indent=2).encode() + b"\n")


def _code(root: Path, folder: str) -> Iterator[tuple[str, Path]]:
    for name, path in _tree(root / folder, folder):
        if path.suffix in _CODE or path.name in _LOCKS:
            yield name, path
        elif path.name not in _NOT_DEPLOYED:
            # It may be a key. It may also be a new file that the program needs; then the lists above must name it.
            raise FleetError(
                f"{path}: no kind of file that a release has; move it elsewhere, or name it in {Path(__file__).name}"
            )


def _tree(folder: Path, name: str) -> Iterator[tuple[str, Path]]:
    """The files below the folder; no caches, nothing hidden.

    Raises:
        FleetError: one is no plain file; a link may lead out of the folder.
    """
    if not folder.is_dir():
        raise FleetError(f"{folder}: is not there, and a release needs it; run the command in a whole checkout")
    for path in sorted(folder.iterdir()):
        if path.name in _CACHES or path.name.startswith(".") or path.suffix == ".pyc":
            continue
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            raise FleetError(f"{path}: is no plain file; put the file itself there")
        if path.is_dir():
            yield from _tree(path, f"{name}/{path.name}")
        else:
            yield f"{name}/{path.name}", path


def _model(folder: Path, version: int | None) -> Path:
    found = {int(path.parent.name): path.parent for path in folder.glob("*/saved_model.pb") if _is_version(path.parent)}
    if not found:
        raise FleetError(f"{folder} holds no model version; make one with `make train`, or name another --models")
    if version is not None and version not in found:
        raise FleetError(f"{folder} holds no version {version}, only {', '.join(map(str, sorted(found)))}")
    return found[max(found) if version is None else version]


def _is_version(folder: Path) -> bool:
    # What the model server takes for one.
    return folder.name.isascii() and folder.name.isdigit()


def _mode(path: Path) -> int:
    # Only whether it can be run; the rest depends on who checked it out.
    return 0o755 if path.stat().st_mode & 0o100 else 0o644


def _sha256(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
