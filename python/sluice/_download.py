"""The download of CIFAR-10, into the place where `sluice data fetch` keeps it."""

from __future__ import annotations

import fcntl
import hashlib
import http.client
import shutil
import sys
import tarfile
import urllib.request
from collections.abc import Callable
from pathlib import Path

from sluice._engine import MachineError

_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
_MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
_CHUNK = 1 << 20
_SECONDS = 30  # without a byte


def _md5_of(file: Path) -> str:
    if not file.exists():
        return ""
    digest = hashlib.md5()
    with file.open("rb") as opened:
        while chunk := opened.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _transfer(url: str, part: Path, is_live: bool) -> None:
    """Goes on where an interrupted download stopped."""
    done = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={done}-"} if done else {})
    with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
        goes_on = answer.status == 206
        done = done if goes_on else 0
        total = done + int(answer.headers.get("Content-Length") or 0)
        with part.open("ab" if goes_on else "wb") as file:
            while chunk := answer.read(_CHUNK):
                file.write(chunk)
                done += len(chunk)
                if is_live:
                    megabytes = f"{done / 1e6:.0f} of {total / 1e6:.0f} MB"
                    print(f"\r{megabytes}", end="", flush=True)
    if is_live:
        print()
    if done < total:
        raise OSError(f"it ended after {done} of {total} bytes")


def fetch(folder: Path, say: Callable[[str], None], url: str = _URL, md5: str = _MD5) -> None:
    """Downloads CIFAR-10 into a folder, which is complete when it exists.

    Args:
        folder: The folder to make; the archive is kept beside it until then.
        say: Gets lines for the user.
        url: The archive's address.
        md5: The archive's sum.

    Raises:
        MachineError: Without network or disk space, and for an archive with another sum.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with (folder.parent / "cifar-10-binary.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if folder.exists():
                return  # another process has finished it
            _fetch(folder, say, url, md5)
    except (OSError, http.client.HTTPException) as error:
        raise MachineError(f"[download] {url}: {error}: try again, it goes on") from error


def _fetch(folder: Path, say: Callable[[str], None], url: str, md5: str) -> None:
    part = folder.parent / "cifar-10-binary.tar.gz.part"
    if _md5_of(part) != md5:
        say(f"data: downloading {url}")
        _transfer(url, part, sys.stdout.isatty())
    found = _md5_of(part)
    if found != md5:
        part.unlink()
        raise MachineError(
            f"[download] {url} has the MD5 {found}, not {md5}: deleted it, try again"
        )
    half_done = folder.with_name(folder.name + ".part")
    shutil.rmtree(half_done, ignore_errors=True)
    half_done.mkdir()
    with tarfile.open(part) as archive:
        for member in archive:
            if member.isfile() and member.name.endswith((".bin", ".txt")):
                member.name = Path(member.name).name
                archive.extract(member, half_done, filter="data")
    half_done.rename(folder)
    part.unlink()
