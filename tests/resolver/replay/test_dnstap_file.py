"""dnstap files of other tools are read, to where they end."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import dns.flags
import dns.message
import dns.query
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference_services.processes import HOST, free_ports
from load_tests.waiting import poll
from resolver.dnstap import payload_of
from resolver.frame_streams import CONTENT_TYPE, MAX_FRAME, READY, START, STOP, control, frame
from resolver.replay.dnstap_file import BROKEN_PAYLOAD, LONG_FRAME
from resolver.replay.report import BAD_TIME, DAMAGED, NO_RESPONSE, UnusableLog
from tests.resolver.replay.captures import ONE, TWO, names, read


def stream(*payloads: bytes, stop: bytes = control(STOP)) -> bytes:
    """A file."""
    return control(START, CONTENT_TYPE) + b"".join(map(frame, payloads)) + stop


def written(folder: Path, content: bytes) -> Path:
    """The file, there."""
    path = folder / "dns.fstrm"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        stream(payload_of(ONE, 100), payload_of(TWO, 200)),
        stream(payload_of(ONE, 100), payload_of(TWO, 200), stop=b""),
        stream(payload_of(ONE, 100)) + stream(payload_of(TWO, 200)),
        control(READY, CONTENT_TYPE) + stream(payload_of(ONE, 100), payload_of(TWO, 200)),
    ],
    ids=["whole", "without STOP", "two one behind another", "with its handshake"],
)
def test_responses_are_read(tmp_path: Path, content: bytes) -> None:
    """With their seconds."""
    found, report = read(written(tmp_path, content))
    assert found == [(ONE, 100), (TWO, 200)]
    assert not report.left_out


def test_what_is_no_response_is_counted(tmp_path: Path) -> None:
    """Queries, payloads that are none, times beyond the year 2106, and frames that no message fills."""
    content = stream(
        payload_of(ONE, 1, kind=5), b"\xff\xff\xff", payload_of(ONE, 1 << 40), bytes(MAX_FRAME + 1),
        payload_of(b"\0\0\1\0", 1), payload_of(TWO, 7),
    )  # fmt: skip
    found, report = read(written(tmp_path, content))
    assert found == [(TWO, 7)]
    assert report.left_out == {NO_RESPONSE: 2, BROKEN_PAYLOAD: 1, BAD_TIME: 1, LONG_FRAME: 1}
    assert report.places[BAD_TIME] == [f"{tmp_path}/dns.fstrm: frame 3: second {1 << 40}"]


@pytest.mark.parametrize(
    ("end", "complaint"),
    [
        (frame(payload_of(TWO, 1))[:-1], "ends without STOP, in a frame"),
        (b"\0\0", "ends without STOP, in a frame"),
        (b"\0\0\0\0\0\0", "ends without STOP, in a frame"),
        (b"\0\0\0\0\0\1\0\0", "a control frame of 65536 octets"),
        (b"\0\x10\0\0" + bytes(100), "ends without STOP, in a frame"),
        (b"\xff\0\0\0" + bytes(100), "a frame of 4278190080 octets"),
        (control(STOP) + frame(b"x"), "data before START"),
        (control(99), "control frame 99"),
    ],
)
def test_a_damaged_end_keeps_what_came_before(tmp_path: Path, end: bytes, complaint: str) -> None:
    """And is told."""
    found, report = read(written(tmp_path, stream(payload_of(ONE, 100), stop=end)))
    assert found == [(ONE, 100)]
    assert complaint in report.places[DAMAGED][0]


def test_other_streams_are_named(tmp_path: Path) -> None:
    """Frame Streams with something else in them, and a dnstap file with nothing in it."""
    with pytest.raises(UnusableLog, match=r"content type b'protobuf:other'"):
        read(written(tmp_path, control(START, b"protobuf:other") + frame(b"x")))
    with pytest.raises(UnusableLog, match="dnstap file of which nothing can be used: nothing is in it"):
        read(written(tmp_path, stream()))


@pytest.mark.skipif(shutil.which("named") is None, reason="needs BIND")
def test_what_bind_writes_is_read(tmp_path: Path) -> None:
    """A real named that logs what clients are answered to a file."""
    (port,) = free_ports(1)
    path, config = tmp_path / "dns.dnstap", tmp_path / "named.conf"
    config.write_text(f"""
options {{ directory "{tmp_path}"; pid-file none; session-keyfile none; listen-on port {port} {{ {HOST}; }};
  listen-on-v6 {{ none; }}; recursion no; dnstap {{ client; auth; }}; dnstap-output file "{path}"; }};
controls {{ }};
zone "example" {{ type primary; file "{tmp_path}/zone"; }};
""")
    (tmp_path / "zone").write_text("@ 60 SOA a b 1 1 1 1 1\n@ 60 NS a\na 60 A 192.0.2.1\nb 60 CNAME a\n")
    command = ["named", "-g", "-n", "1", "-c", str(config)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            poll(lambda: process.poll() is not None or _answers(port, "a.example"))
            if process.poll() is not None:
                pytest.skip("this named does not start, or has no dnstap")
            assert _answers(port, "b.example")
        finally:
            process.terminate()
            process.wait(20)
    found, report = read(path)
    assert {"a.example", "b.example"} == set(names(found))
    assert set(report.left_out) <= {NO_RESPONSE}


def _answers(port: int, name: str) -> bool:
    try:
        response = dns.query.udp(dns.message.make_query(name, "A"), HOST, timeout=1, port=port)
    except (OSError, dns.exception.Timeout):
        return False
    return bool(response.flags & dns.flags.QR)


@settings(max_examples=300)
@given(st.data())
def test_damaged_files_never_raise_anything_else(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Any octets changed, cut or put in."""
    content = bytearray(stream(payload_of(ONE, 100), b"\x78\1", payload_of(TWO, 200)) * 2)
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=4))
    try:
        found, report = read(written(tmp_path_factory.getbasetemp(), bytes(content)))
    except UnusableLog:
        return
    assert len(found) == report.used
