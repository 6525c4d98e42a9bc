"""The download: once, whole or not at all, held against the checksum of the first time. Over a real local server."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from training.data import download
from training.errors import DownloadError


class Bucket(ThreadingHTTPServer):
    """Serves `files`; a name in `cut` gets its full Content-Length but half its body."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {f"/{name}": name.encode() * 5000 for name in download.FILES}
        self.cut: set[str] = set()
        self.requests: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Bucket

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        if self.path not in self.server.files:
            self.send_error(404)
            return
        body = self.server.files[self.path]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if self.path in self.server.cut else body)

    def log_message(self, format: str, *args: object) -> None:
        """Keeps the test's output clean."""


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    server = Bucket()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def data_files(directory: Path) -> list[str]:
    return sorted(file.name for file in directory.iterdir() if file.name != download.RECORD)


def test_downloads_once(bucket: Bucket, tmp_path: Path) -> None:
    for _ in range(2):
        assert download.download(bucket.url, tmp_path) == tmp_path
    assert data_files(tmp_path) == sorted(download.FILES)
    assert len(bucket.requests) == len(download.FILES)
    assert (tmp_path / download.FILES[0]).read_bytes() == bucket.files[f"/{download.FILES[0]}"]


def test_body_cut_short_leaves_nothing_and_the_next_try_heals(bucket: Bucket, tmp_path: Path) -> None:
    bucket.cut.add(f"/{download.FILES[1]}")
    with pytest.raises(DownloadError, match="Nothing of it was kept"):
        download.download(bucket.url, tmp_path)
    assert data_files(tmp_path) == [download.FILES[0]]
    bucket.cut.clear()
    download.download(bucket.url, tmp_path)
    assert data_files(tmp_path) == sorted(download.FILES)


def test_damaged_cache_is_fetched_again(bucket: Bucket, tmp_path: Path) -> None:
    download.download(bucket.url, tmp_path)
    (tmp_path / download.FILES[0]).write_bytes(b"damaged")
    download.download(bucket.url, tmp_path)
    assert (tmp_path / download.FILES[0]).read_bytes() == bucket.files[f"/{download.FILES[0]}"]


def test_another_file_than_recorded_is_refused(bucket: Bucket, tmp_path: Path) -> None:
    download.download(bucket.url, tmp_path)
    (tmp_path / download.FILES[0]).unlink()
    bucket.files[f"/{download.FILES[0]}"] = b"somebody else's"
    with pytest.raises(DownloadError, match="is not the file recorded in"):
        download.download(bucket.url, tmp_path)
    assert not (tmp_path / download.FILES[0]).exists()


def test_absent_bucket_is_a_clear_error(bucket: Bucket, tmp_path: Path) -> None:
    bucket.files.clear()
    with pytest.raises(DownloadError, match=r"cannot fetch wizard_of_tasks_cooking_v1.0.json .* name a copy by --data"):
        download.download(bucket.url, tmp_path)
