"""Each resolver's configuration, as docs/resolvers.md shows it, with ports and folders of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import resolver as resolver_package
from inference_services.processes import HOST

PLUGINS: Final = Path(resolver_package.__file__).parent / "plugins"
# How much of us is beside a resolver: nothing; dnstap and the zone; the plugin as well.
ALONE, TAP, PLUGIN = "", "tap", "plugin"


def _unbound(folder: Path, port: int, upstream: int, tap: Path, rpz: int, joined: str) -> list[str]:
    script = PLUGINS / "unbound" / "dns_risk_unbound.py"
    modules = {ALONE: "", TAP: "respip ", PLUGIN: "python respip "}[joined] + "validator iterator"
    plugin = f'python:\n  python-script: "{script}"\n'
    parts = f"""\
rpz:
  name: "rpz.risk"
  primary: {HOST}@{rpz}
  allow-notify: {HOST}
dnstap:
  dnstap-enable: yes
  dnstap-socket-path: "{tap}"
  dnstap-log-client-response-messages: yes
"""
    (folder / "unbound.conf").write_text(f"""\
server:
  interface: {HOST}
  port: {port}
  directory: "{folder}"
  username: ""
  chroot: ""
  pidfile: ""
  use-syslog: no
  num-threads: 1
  do-not-query-localhost: no
  val-permissive-mode: yes
  trust-anchor-signaling: no
  root-key-sentinel: no
  module-config: "{modules}"
remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-addr: {HOST}@{upstream}
{parts if joined else ""}{plugin if joined == PLUGIN else ""}""")
    return ["unbound", "-d", "-p", "-c", str(folder / "unbound.conf")]


def _bind(folder: Path, port: int, upstream: int, tap: Path, rpz: int, joined: str) -> list[str]:
    options = f"""\
  dnstap {{ client response; }};
  dnstap-output unix "{tap}";
  response-policy {{ zone "rpz.risk" policy given; }} qname-wait-recurse no min-update-interval 0;
"""
    zone = f"""\
zone "rpz.risk" {{
  type secondary; primaries {{ {HOST} port {rpz}; }}; file "rpz.db";
  min-refresh-time 1; allow-notify {{ {HOST}; }}; allow-query {{ none; }};
}};
"""
    (folder / "named.conf").write_text(f"""\
options {{
  directory "{folder}"; pid-file none; session-keyfile none;
  listen-on port {port} {{ {HOST}; }}; listen-on-v6 {{ none; }};
  forwarders {{ {HOST} port {upstream}; }}; forward only; dnssec-validation no;
  empty-zones-enable no; recursion yes; notify no;
{options if joined else ""}}};
controls {{ }};
{zone if joined else ""}""")
    return ["named", "-g", "-n", "1", "-c", str(folder / "named.conf")]


def _powerdns(folder: Path, port: int, upstream: int, tap: Path, rpz: int, joined: str) -> list[str]:
    (folder / "rpz.lua").write_text(f"""\
rpzPrimary("{HOST}:{rpz}", "rpz.risk", {{refresh=1, extendedErrorCode=15, extendedErrorExtra="dns-risk"}})
dnstapFrameStreamServer({{"{tap}"}}, {{logQueries=false, logResponses=true}})
""")
    parts = f"lua-config-file={folder}/rpz.lua\npacketcache-ttl=1\n"
    plugin = f"lua-dns-script={PLUGINS}/powerdns/recursor.lua\n"
    (folder / "recursor.conf").write_text(f"""\
local-address={HOST}
local-port={port}
config-dir={folder}
socket-dir={folder}
forward-zones=.={HOST}:{upstream}
dont-query=
dnssec=off
threads=1
security-poll-suffix=
{parts if joined else ""}{plugin if joined == PLUGIN else ""}""")
    return ["pdns_recursor", f"--config-dir={folder}", "--daemon=no"]


def _knot(folder: Path, port: int, upstream: int, tap: Path, _: int, joined: str) -> list[str]:
    parts = f"""\
modules.load('dnstap')
dnstap.config({{socket_path = '{tap}', client = {{log_queries = false, log_responses = true}}}})
"""
    plugin = f"""\
package.path = '{PLUGINS}/lua/?.lua;{PLUGINS}/knot/?.lua;' .. package.path
modules.load('dns_risk < extended_error')
"""
    (folder / "kresd.conf").write_text(f"""\
net.listen('{HOST}', {port})
trust_anchors.remove('.')
cache.size = 10 * MB
modules.load('policy')
policy.add(policy.all(policy.FORWARD({{'{HOST}@{upstream}'}})))
{parts if joined else ""}{plugin if joined == PLUGIN else ""}""")
    return ["kresd", "-n", "-c", str(folder / "kresd.conf"), str(folder)]


Writer = Callable[[Path, int, int, Path, int, str], list[str]]
"""Writes into a folder, for a port, an upstream, a tap, the zone's port and how much of us; the command."""

WRITERS: Final[dict[str, Writer]] = {"unbound": _unbound, "bind": _bind, "powerdns": _powerdns, "knot": _knot}
