"""Pods without a cluster: a network of their own, a read-only root, the manifest's user, and nothing else.

Root is what the image would have: the builder's environment at its place and the machine's /usr below it.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from inference_services.manifests.pods import Pods

HUB = "dnsrisk-hub"
TMP = "/tmp"  # noqa: S108 - of the pod, not of this machine
NAMESPACE = "dns-risk"


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


@contextmanager
def hub() -> Iterator[None]:
    """A network that pods are plugged into; tests speak to them from there."""
    ip("netns", "add", HUB)
    try:
        for words in (["lo", "up"], ["br0", "up"]):
            if words[0] == "br0":
                ip("-n", HUB, "link", "add", "br0", "type", "bridge")
                ip("-n", HUB, "addr", "add", "10.77.0.1/24", "dev", "br0")
            ip("-n", HUB, "link", "set", *words)
        yield
    finally:
        ip("netns", "del", HUB)


@contextmanager
def network(name: str, address: str) -> Iterator[str]:
    """A namespace with this address on the hub."""
    space = f"dnsrisk-{name}"
    ip("netns", "add", space)
    try:
        ip(
            "link",
            "add",
            "eth0",
            "netns",
            space,
            "type",
            "veth",
            "peer",
            "name",
            f"v-{name[:8]}",
            "netns",
            HUB,
        )
        ip("-n", HUB, "link", "set", f"v-{name[:8]}", "master", "br0", "up")
        ip("-n", space, "addr", "add", f"{address}/24", "dev", "eth0")
        ip("-n", space, "link", "set", "eth0", "up")
        ip("-n", space, "link", "set", "lo", "up")
        yield space
    finally:
        ip("netns", "del", space)


def command_line(pods: Pods, entrypoint: Sequence[str]) -> list[str]:
    """What Kubernetes would run: the manifest's command or the image's entry point, with its arguments."""
    env = variables(pods)
    words = [*(pods.container.get("command") or entrypoint), *pods.container.get("args", [])]
    return [re.sub(r"\$\((\w+)\)", lambda match: env[match[1]], word) for word in words]


def variables(pods: Pods) -> dict[str, str]:
    """The manifest's variables; a field reference is the one to the namespace."""
    found = {}
    for entry in pods.container.get("env", []):
        field = entry.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath")
        assert field in {None, "metadata.namespace"}
        found[entry["name"]] = NAMESPACE if field else str(entry["value"])
    return found


@dataclass
class Pod:
    """A running one."""

    pods: Pods
    address: str
    process: subprocess.Popen[bytes]

    def probe(self, kind: str) -> bool:
        """Ask what the manifest's probe asks, as kubelet does."""
        get = self.pods.container[kind]["httpGet"]
        return self.get(f"http://{self.address}:{get['port']}{get['path']}") == 200

    def get(self, url: str) -> int:
        done = hub_run("curl", "-s", "-o", "/dev/null", "-m", "5", "-w", "%{http_code}", url)
        return int(done.stdout or 0)

    def terminate(self) -> None:
        """Send SIGTERM to the service, not to the sandbox around it."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        subprocess.run(["kill", f"-{signal.SIGTERM.value}", _innermost(children[0])], check=True)


def _innermost(pid: str) -> str:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return _innermost(children[0]) if children else pid


def hub_run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a client beside the pods."""
    return subprocess.run(["ip", "netns", "exec", HUB, *command], capture_output=True, text=True, check=False)


@contextmanager
def pod(pods: Pods, address: str, root: Path, hosts: Mapping[str, str], model: Path) -> Iterator[Pod]:
    """Start a component from its environment, as its manifest says; killed at the end."""
    with ExitStack() as stack:
        space = stack.enter_context(network(pods.component, address))
        command = ["ip", "netns", "exec", space, *sandbox(pods, root, hosts, model)]
        command += command_line(pods, ["/opt/dns-risk/bin/python", "-m", pods.component])
        process = stack.enter_context(
            subprocess.Popen(command, env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin"})
        )
        try:
            yield Pod(pods, address, process)
        finally:
            process.kill()


def sandbox(pods: Pods, root: Path, hosts: Mapping[str, str], model: Path) -> list[str]:
    """Words for bubblewrap: the container's file system, variables and user."""
    names = root / f"hosts-{pods.component}"
    names.write_text("127.0.0.1 localhost\n" + "".join(f"{where} {name}\n" for name, where in hosts.items()))
    names.chmod(0o644)
    words = ["bwrap", "--die-with-parent", "--unshare-pid", "--clearenv"]
    words += ["--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib"]
    words += ["--symlink", "usr/lib64", "/lib64", "--proc", "/proc", "--dev", "/dev"]
    # bubblewrap makes what is missing on the way readable for root alone.
    for folder in ("/etc", "/opt", "/mnt", "/var", "/var/lib", "/var/lib/dns-risk"):
        words += ["--perms", "0755", "--dir", folder]
    words += ["--ro-bind", str(names), "/etc/hosts", "--ro-bind", "/etc/nsswitch.conf", "/etc/nsswitch.conf"]
    words += ["--ro-bind", "/etc/ld.so.cache", "/etc/ld.so.cache"]
    words += [
        "--ro-bind",
        str(root / "opt" / "dns-risk"),
        "/opt/dns-risk",
        "--ro-bind",
        str(model),
        "/mnt/models",
    ]
    for mount in pods.container.get("volumeMounts", []):
        words += ["--perms", "1777", "--tmpfs", mount["mountPath"]]
    words += ["--remount-ro", "/"]
    image = {
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": TMP,
        "XDG_CACHE_HOME": TMP,
    }
    for name, value in {**image, "MPLCONFIGDIR": TMP, "PATH": "/usr/bin", **variables(pods)}.items():
        words += ["--setenv", name, value]
    context = pods.container["securityContext"]
    user, group = str(context["runAsUser"]), str(context["runAsGroup"])
    assert context["readOnlyRootFilesystem"]
    setpriv = shutil.which("setpriv") or "setpriv"
    return [
        *words,
        "--chdir",
        TMP,
        setpriv,
        "--reuid",
        user,
        "--regid",
        group,
        "--clear-groups",
        "--no-new-privs",
    ]
