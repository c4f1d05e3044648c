import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.transformer.passive_dns import RECORDS
from transformer.graph_store.__main__ import main

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def records(tmp_path: Path) -> Path:
    path = tmp_path / "records.jsonl"
    rows = [
        {"rrname": name, "rrtype": kind, "rdata": data, "time_first": 1700000000, "time_last": 1700086400}
        for name, kind, data in RECORDS
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def run(*arguments: str, store: Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "transformer.graph_store", *arguments],
        cwd=REPOSITORY,
        env=os.environ | {"DNS_RISK_GRAPH_STORE": str(store)},
        input=stdin,
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_import_stats_and_show_as_a_person_runs_them(records: Path, tmp_path: Path) -> None:
    """The three commands work on the store that the environment names."""
    store = tmp_path / "store"
    imported = run("import", "-", store=store, stdin=records.read_bytes())
    assert imported.returncode == 0, imported.stderr
    assert b"9 lines: 9 used" in imported.stdout
    assert run("stats", store=store).stdout.decode() in imported.stdout.decode()
    shown = run("show", "WWW.Shop.example.com.", store=store).stdout.decode()
    assert "11.0.2.1  2023-11-14 to 2023-11-15, 1 times" in shown


LINES = "".join(
    json.dumps({"rrname": f"{address}.example", "rrtype": "A", "rdata": address, "count": 1} | times) + "\n"
    for address in ("11.0.2.1", "10.0.0.1", "127.0.0.1", "192.168.0.1")
    for times in ({"time_first": 1700000000, "time_last": 1700086400},)
)


@pytest.mark.parametrize(
    ("environment", "flags", "used"),
    [
        (None, [], 1),
        ("true", [], 3),
        ("0", [], 1),
        (None, ["--private_addresses"], 3),
        ("true", ["--no-private_addresses"], 1),
    ],
)
def test_private_addresses_are_a_choice(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    environment: str | None,
    flags: list[str],
    used: int,
) -> None:
    """By the flag or the environment, the flag first; what is left out is counted by its purpose."""
    (tmp_path / "lines").write_text(LINES)
    if environment is not None:
        monkeypatch.setenv("DNS_RISK_PRIVATE_ADDRESSES", environment)
    assert main(["import", str(tmp_path / "lines"), "--store", str(tmp_path / "store"), *flags]) == 0
    told = capsys.readouterr().out
    assert "4 lines: 4 used" in told
    assert f"edges: {used} resolves" in told
    assert "1 left out of rdata: special-purpose address (loopback)" in told
    assert ("2 left out of rdata: special-purpose address (private use)" in told) == (used == 1)


def test_an_impossible_choice_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A word that is no switch ends the command and names the variable."""
    monkeypatch.setenv("DNS_RISK_PRIVATE_ADDRESSES", "perhaps")
    with pytest.raises(SystemExit, match="DNS_RISK_PRIVATE_ADDRESSES: expected true or false, got 'perhaps'"):
        main(["stats"])


def test_a_store_option_goes_before_the_environment(
    records: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--store` names the directory; hosts are shown by address or ns:NAME."""
    store = str(tmp_path / "elsewhere")
    assert main(["import", str(records), "--store", store]) == 0
    assert main(["show", "11.0.2.1", "--store", store]) == 0
    assert main(["show", "ns:ns1.dns.example.net", "--store", store]) == 0
    shown = capsys.readouterr().out
    assert "resolves_rev: 3" in shown
    assert "nameserver_rev: 2" in shown


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["import", "/nowhere/file"], "/nowhere/file"),
        (["show", "a b"], "spaces"),
        (["show", "unknown.example"], "not in this snapshot"),
        (["import", os.devnull], "no usable line"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line_with_status_1(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback: a sentence and exit status 1."""
    assert main([*arguments, "--store", str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert words in out + err
    assert "Traceback" not in err


def test_stats_of_an_empty_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A store without a snapshot has counts too: zeros."""
    assert main(["stats", "--store", str(tmp_path)]) == 0
    assert "0 domain, 0 ip, 0 nameserver" in capsys.readouterr().out
