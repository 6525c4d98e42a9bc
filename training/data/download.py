"""The published data set, fetched once over HTTPS into a cache.

A file in the cache is always complete: pooch renames it after the download, and urllib3 refuses a body shorter than its
Content-Length. The publishers state no checksum, so that of the first download is recorded in `checksums.json`, and
every later use is compared with it.
"""

import json
import os
from pathlib import Path

import pooch
import requests

from training.errors import DownloadError

# The publishers' bucket: no credentials, plain HTTPS. Licence of the data: CC BY-SA 4.0.
PUBLISHED_URL = "https://wizard-of-tasks.s3.us-west-2.amazonaws.com"
FILES = ("wizard_of_tasks_cooking_v1.0.json", "wizard_of_tasks_diy_v1.0.json")
RECORD = "checksums.json"


def cache_directory() -> Path:
    """The folder for downloads and converted encoders: `INTENT_SERVICE_CACHE`, else the user's cache folder."""
    return Path(os.environ.get("INTENT_SERVICE_CACHE") or pooch.os_cache("intent-service"))


def download(url: str, directory: Path) -> Path:
    """Fetches the published files below `url` into `directory`, unless they are there; shows progress.

    Returns:
        `directory`, holding the whole files and the record of their sha256.

    Raises:
        DownloadError: unreachable, cut short, or not what was recorded at first.
    """
    directory.mkdir(parents=True, exist_ok=True)
    record = directory / RECORD
    known: dict[str, str] = json.loads(record.read_text()) if record.exists() else {}
    for name in FILES:
        try:
            pooch.retrieve(f"{url.rstrip('/')}/{name}", known.get(name), fname=name, path=directory, progressbar=True)
        except (requests.RequestException, OSError) as error:
            raise DownloadError(
                f"cannot fetch {name} from {url}: {error}. Nothing of it was kept; try again, or name a copy by --data"
            ) from error
        except ValueError as error:  # pooch: the hash of the file does not match the known one
            raise DownloadError(
                f"{directory / name} is not the file recorded in {record}: {error}. Delete the record to accept it"
            ) from error
        if name not in known:
            known[name] = "sha256:" + pooch.file_hash(directory / name)
            part = record.with_suffix(".part")
            part.write_text(json.dumps(known, indent=2) + "\n")
            part.replace(record)
    return directory
