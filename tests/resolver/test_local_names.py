"""What the sidecar does not do, whoever asks: names of the house stay there, one bad name hides no other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from load_tests.bench_resolver.sidecar_process import SidecarProcess, TapSender, sidecar
from load_tests.waiting import poll
from resolver.frame_streams import frame
from tests.resolver.harsh_transformer import HarshTransformer, harsh_transformer
from tests.resolver.hostile_names import dnstap_of

pytestmark = pytest.mark.slow
HOUSE = (
    "qhwkzjxvplm", "WIN-8F3K2L9QX1C", "BRN30055C1A2B3C", "SEP001122334455", "a1b2c3d4e5f6", "a1b2c3d4e5f6.local", "x.lan",
    "db.home", "vault.internal", "nas.home.arpa", "x.onion", "kqzwvxjh.corp", "x.test", "fritz.box", "1.2.0.192.in-addr.arpa",
)  # fmt: skip
SHARED = (
    "duckdns.org",
    "webflow.io",
    "no-ip.org",
    "trycloudflare.com",
    "co.uk",
    "amazonaws.com",
    "wordpress.com",
)


@pytest.fixture
def harsh() -> Iterator[HarshTransformer]:
    """It blocks everything."""
    with harsh_transformer() as transformer:
        yield transformer


@pytest.fixture
def blocking(harsh: HarshTransformer, tmp_path: Path) -> Iterator[SidecarProcess]:
    """A sidecar before it."""
    options = {"mode": "block", "passive_dns_dir": tmp_path / "pdns", "passive_dns_rotate_s": 1}
    with sidecar(tmp_path, harsh.target, **options) as process:
        yield process


def test_names_of_the_house_never_leave_it(
    blocking: SidecarProcess, harsh: HarshTransformer, tmp_path: Path
) -> None:
    """Not scored, not in the zone, not in the feed; plugins are told to let them pass."""
    tap = TapSender(blocking.tap_path)
    tap.send(*HOUSE, "evil.tk", address="11.22.33.44")
    for name in HOUSE:
        assert blocking.ask(name, 500) == ("S", "allow/local")
    poll(lambda: "evil.tk" in blocking.names())
    poll(lambda: any((tmp_path / "pdns").glob("*.jsonl")))
    assert harsh.asked == ["evil.tk"]
    assert blocking.names() == {"evil.tk"}
    lines = [line for path in (tmp_path / "pdns").glob("*.jsonl") for line in path.read_text().splitlines()]
    assert {json.loads(line)["rrname"] for line in lines} == {"evil.tk"}
    tap.close()


def test_what_hosts_others_is_never_taken_off_the_net(blocking: SidecarProcess) -> None:
    """Neither by its own name, nor by a wildcard in whatever spelling; names below it may be."""
    tap = TapSender(blocking.tap_path)
    for name in SHARED:
        tap.send_raw(frame(dnstap_of([b"*", *(label.encode() for label in name.split("."))])))
        assert blocking.ask(name, 5000) == ("S", "monitor/phishing")
        for spelling in ("*", "\\042", "\\*", "a.*", "*.a"):
            assert blocking.ask(f"{spelling}.{name}", 5000) == ("S", "monitor/phishing")
    assert blocking.ask("somebody.duckdns.org", 5000) == ("S", "block/phishing")
    poll(lambda: blocking.names() == {"somebody.duckdns.org"})
    assert blocking.metric('zone_kept_out_total{reason="wildcard label"}') >= len(SHARED)
    tap.close()


def test_two_dots_are_no_question_and_harm_no_transfer(blocking: SidecarProcess) -> None:
    """Also after a restart; the name with one dot or none is one name."""
    for name in ("paypal-login-verify201.tk..", "a..tk", ".tk", "a.tk\\"):
        assert blocking.ask(name, 500) == ("E", "malformed")
    assert blocking.ask("evil.tk.", 5000) == blocking.ask("EVI\\108.tk", 500) == ("S", "block/phishing")
    poll(lambda: blocking.names() == {"evil.tk"})
    blocking.process.kill()
    blocking.process.wait()
    blocking.start()
    assert blocking.names() == {"evil.tk"}


def test_a_name_that_cannot_be_taken_hides_no_other(
    blocking: SidecarProcess, harsh: HarshTransformer
) -> None:
    """It fails its whole batch, which is halved until the others have their scores; it is not asked for ever."""
    tap = TapSender(blocking.tap_path)
    bad = [f"evil{number}.tk" for number in range(60)]
    tap.send(*bad[:30], "poison.tk", *bad[30:], address="11.22.33.44")
    poll(lambda: blocking.names() == set(bad), limit_s=20)
    asked = harsh.asked.count("poison.tk")
    assert blocking.ask("evil.tk", 5000) == ("S", "block/phishing")
    assert harsh.asked.count("poison.tk") == asked
    assert blocking.metric("transformer_up") == 1
    tap.close()


def test_a_transformer_that_refuses_everything_is_left_alone(
    blocking: SidecarProcess, harsh: HarshTransformer
) -> None:
    """After a few names, not after all; the others wait, and are scored when it takes them again."""
    harsh.refuse_all = True
    tap = TapSender(blocking.tap_path)
    bad = [f"evil{number}.tk" for number in range(200)]
    tap.send(*bad, address="11.22.33.44")
    poll(lambda: blocking.metric("transformer_up") == 0)
    harsh.refuse_all = False
    poll(lambda: len(blocking.names()) >= len(bad) - 10, limit_s=30)
    tap.close()
