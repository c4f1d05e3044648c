"""The proxy as a process: its configuration checked before it is used, reloaded without a gap."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.serving.server_process import poll


def nginx_command(folder: Path) -> list[str]:
    """Run nginx on the configuration of a folder; as root its workers must be able to read there."""
    own = ["-g", "user root;"] if os.geteuid() == 0 else []
    return [
        "nginx",
        "-p",
        str(folder),
        "-e",
        str(folder / "error.log"),
        "-c",
        str(folder / "nginx.conf"),
        *own,
    ]


def check(folder: Path) -> None:
    """Let nginx itself check a configuration; fails with what it says."""
    done = subprocess.run([*nginx_command(folder), "-t"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


class Nginx:
    """One nginx, stopped by its process."""

    def __init__(self, folder: Path, configuration: str) -> None:
        """Start it."""
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._write(configuration)
        self._process = subprocess.Popen(nginx_command(folder), start_new_session=True)
        poll(lambda: bool(self._workers()))

    def _write(self, configuration: str) -> None:
        (self._folder / "nginx.conf").write_text(configuration)
        check(self._folder)

    def reload(self, configuration: str) -> None:
        """Use another configuration; returns when the last request under the old one has been answered."""
        self._write(configuration)
        before = self._workers()
        subprocess.run([*nginx_command(self._folder), "-s", "reload"], check=True)
        poll(lambda: self._workers() - before != set() and not self._workers() & before, limit_s=60)

    def _workers(self) -> set[int]:
        pid = self._process.pid
        try:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        except FileNotFoundError:
            return set()
        return {int(child) for child in children.split()}

    def stop(self) -> None:
        """End it at once: who still asks is not answered."""
        self._process.terminate()
        self._process.wait(10)
