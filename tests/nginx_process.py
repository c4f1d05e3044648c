"""The proxy as a process: its configuration checked before it is used, reloaded without a gap."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from load_tests.waiting import poll

_FRAME = """\
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log error;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/answers;
    fastcgi_temp_path {folder}/unused_fastcgi;
    uwsgi_temp_path {folder}/unused_uwsgi;
    scgi_temp_path {folder}/unused_scgi;
    client_max_body_size 8m;
    # On loopback an address is there or not.
    proxy_connect_timeout 2s;
    grpc_connect_timeout 2s;
    # A failure of one server must not be hidden by another.
    proxy_next_upstream off;
    grpc_next_upstream off;
{content}
}}
"""


def frame(folder: Path, content: str) -> str:
    """A configuration around what stands in its http block; nginx' own files go to the folder."""
    return _FRAME.format(folder=folder, content=content)


def upstream(name: str, servers: Sequence[str]) -> str:
    """An upstream of `server` lines, whose connections are kept."""
    # Shorter than the services' own, so that nginx never writes to a connection that they are closing.
    lines = "\n        ".join([*servers, "keepalive 32;", "keepalive_timeout 30s;"])
    return f"    upstream {name} {{\n        {lines}\n    }}"


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
