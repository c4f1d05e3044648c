"""`python -m resolver.replay` as an operator runs it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from inference_services.processes import free_ports
from load_tests.bench_resolver.sidecar_process import response, sidecar
from load_tests.waiting import poll
from resolver.replay.report import BAD_TIME, BROKEN_MESSAGE, LOCAL_NAME, NO_RESPONSE
from tests.resolver.bad_names import fresh_bad_name
from tests.resolver.replay.captures import ONE, datagram, ethernet, ipv4, pcap, udp
from tests.serving.server_process import HOST, REPOSITORY, ServerProcess

pytestmark = pytest.mark.slow
SAMPLE_LOG = Path(os.environ.get("DNS_RISK_SHARED", "../shared")) / "data" / "dns_traffic_sample.csv.gz"
HEADER = "ts,client,query,qtype,rcode,answers,ttls\n"


def replay(*arguments: object) -> subprocess.CompletedProcess[str]:
    """One run."""
    command = [sys.executable, "-m", "resolver.replay", *map(str, arguments)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)


def written(folder: Path, *names: str) -> Path:
    """A log with a query for each name, and a hundred for one that is good."""
    path = folder / "log.csv"
    rows = [f"100,10.0.0.1,{name},A,NOERROR,192.0.2.1,60\n" for name in (*names, *["kernel.org"] * 100)]
    path.write_text(HEADER + "".join(rows))
    return path


def test_it_shows_what_a_policy_would_block(scoring: ServerProcess, tmp_path: Path) -> None:
    """Bad names with their scores, the count of the good ones, and all of it as JSON; an allowlist is heeded."""
    bad, ours = fresh_bad_name(), fresh_bad_name()
    log, allow, out = written(tmp_path, bad, ours), tmp_path / "allow.txt", tmp_path / "out.json"
    allow.write_text(f"{ours}\n")
    run = replay(log, "--transformer", scoring.grpc_target, "--allowlist", allow, "--json", out)
    assert run.returncode == 0, run.stderr
    [line] = [line for line in run.stdout.splitlines() if bad in line]
    assert line.split()[0] == "block"
    assert ours not in run.stdout
    assert "allow           2 names          101 queries" in run.stdout
    found = json.loads(out.read_text())
    rows = {row["name"]: row for row in found["names"]}
    assert (found["log"]["read"], found["log"]["used"], found["log"]["left_out"]) == (102, 102, {})
    refused = replay(log, "--transformer", scoring.grpc_target, "--json", tmp_path)
    assert (refused.returncode, "Traceback" in refused.stderr) == (1, False)
    assert "Is a directory" in refused.stderr
    assert rows[ours]["reason"] == "listed"
    assert rows["kernel.org"]["queries"] == 100


def test_it_feeds_a_sidecar_as_a_resolver_does(scoring: ServerProcess, tmp_path: Path) -> None:
    """What it sends is scored and published there."""
    bad = fresh_bad_name()
    with sidecar(tmp_path, scoring.grpc_target, mode="block") as process:
        run = replay(written(tmp_path, bad), "--socket", process.tap_path)
        assert run.returncode == 0, run.stderr
        assert "101 responses sent" in run.stdout
        poll(lambda: process.names() == {bad})
        assert process.metric('frames_total{outcome="read"}') == 101


def test_several_logs_are_one_and_what_is_left_out_is_shown(scoring: ServerProcess, tmp_path: Path) -> None:
    """With reasons and places; a file of no use is told, the rest is done, and the exit status says so."""
    log, capture, junk, out = (tmp_path / name for name in ("a.csv", "b.pcap", "junk", "out.json"))
    log.write_text(f"{HEADER}100,,kernel.org,A,NOERROR,192.0.2.1,\nn/a,,kernel.org,A,NOERROR,192.0.2.1,\n")
    broken = ONE[:12] + b"\xc0\x0c" + ONE[14:]
    capture.write_bytes(
        pcap(udp(response("one.shop.com")), udp(broken), ethernet(ipv4(datagram(ONE, 40000, 53))))
    )
    junk.write_bytes(b"\0\1\2\3")
    run = replay(log, junk, capture, "--transformer", scoring.grpc_target, "--json", out)
    assert run.returncode == 1
    assert f"{junk}: no format that is known" in run.stderr
    assert f"{log}:3: ts 'n/a', expected seconds since 1970" in run.stdout
    assert f"{capture}: packet 2: " in run.stdout
    assert re.search(r"read +5\nused +2\nleft out +3\n", run.stdout)
    said = json.loads(out.read_text())["log"]
    assert (said["read"], said["used"]) == (5, 2)
    assert {reason: found["count"] for reason, found in said["left_out"].items()} == {
        BAD_TIME: 1,
        BROKEN_MESSAGE: 1,
        NO_RESPONSE: 1,
    }
    assert len(said["refused"]) == 1


@pytest.mark.skipif(
    not SAMPLE_LOG.exists(), reason="needs the query log in the shared data (DNS_RISK_SHARED)"
)
def test_the_real_log_goes_through_whole(scoring: ServerProcess) -> None:
    """Every query of the sample is read, names of its house are counted, and every other name gets a score."""
    run = replay(SAMPLE_LOG, "--transformer", scoring.grpc_target)
    assert run.returncode == 0, run.stderr
    counts = [line.split() for line in run.stdout.splitlines()[-4:]]
    scored_ = sum(int(words[3].replace(",", "")) for words in counts[:3])
    house = re.search(rf"([0-9,]+)  {LOCAL_NAME}", run.stdout)
    assert house is not None
    assert scored_ + int(house[1].replace(",", "")) > 49_000
    assert scored_ > 44_000
    assert counts[3][:2] == ["unscored", "0"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("nowhere.csv",), "No such file"),
        (("LOG", "--transformer", f"{HOST}:{free_ports(1)[0]}"), "0 of 1 names scored"),
        (("LOG", "--socket", "/nowhere"), "No such file"),
        (("LOG", "--allowlist", "/nowhere"), "nowhere"),
        (("/",), "a directory"),
        ((sys.executable,), "no format that is known"),
        (("/dev/null",), "empty"),
    ],
    ids=["no file", "no transformer", "no socket", "no list", "a folder", "a program", "nothing"],
)
def test_what_cannot_be_done_is_one_line(tmp_path: Path, arguments: tuple[str, ...], complaint: str) -> None:
    """Exit status 1 and no traceback."""
    log = written(tmp_path, "a.example")
    run = replay(*(log if argument == "LOG" else argument for argument in arguments))
    assert run.returncode == 1
    assert complaint in run.stderr.splitlines()[-1]
    assert "Traceback" not in run.stderr


def test_standard_input_is_read(scoring: ServerProcess, tmp_path: Path) -> None:
    """As a file is."""
    command = [sys.executable, "-m", "resolver.replay", "-", "--transformer", scoring.grpc_target]
    with written(tmp_path, "a.example").open("rb") as log:
        run = subprocess.run(command, cwd=REPOSITORY, stdin=log, capture_output=True, text=True, check=True)
    assert "allow           1 names          100 queries" in run.stdout


def test_a_sidecar_that_is_killed_while_it_is_fed_is_one_line(tmp_path: Path) -> None:
    """With how far it came."""
    (tmp_path / "log.csv").write_text(HEADER + "100,,kernel.org,A,NOERROR,192.0.2.1,\n" * 100_000)
    with sidecar(tmp_path, f"{HOST}:{free_ports(1)[0]}") as process:
        command = [
            sys.executable,
            "-m",
            "resolver.replay",
            str(tmp_path / "log.csv"),
            "--socket",
            str(process.tap_path),
        ]
        with subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True) as feeding:
            poll(lambda: process.metric('frames_total{outcome="read"}') > 100)
            process.process.kill()
            _, said = feeding.communicate(timeout=60)
    assert feeding.returncode == 1
    [line] = said.splitlines()
    assert re.fullmatch(rf"{process.tap_path}: .*, after [0-9,]+ responses were sent", line)
