"""Files that are not read: how to know them, what they are, and the command that makes of them what is read.

FILE in a command stands for the file. Octets are those of the formats' own documents and of file(1)'s magic.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_READ: Final = "python -m resolver.replay -"
_HEADER: Final = "ts,query,qtype,rcode,answers"


class Foreign(NamedTuple):
    """What a file is, and what to do."""

    what: str
    command: str


def _piped(what: str, command: str) -> Foreign:
    return Foreign(what, f"{command} | {_READ}")


def _awk(what: str, program: str) -> Foreign:
    # Times are left empty: syslog's have no year.
    return _piped(what, f"""awk 'BEGIN{{print "{_HEADER}"}} {program}' FILE""")


def _jq(what: str, columns: str, selected: str = "") -> Foreign:
    return _piped(what, f"(echo {_HEADER}; jq -r '{selected}[{columns}] | @csv' FILE)")


def _sheet(what: str) -> Foreign:
    return Foreign(what, "libreoffice --headless --convert-to csv FILE")


_CAPTURE: Final = "editcap FILE FILE.pcapng"

UTF16: Final = _piped("text in UTF-16", "iconv -f UTF-16 -t UTF-8 FILE")
UTF16_BARE: Final = _piped("text in UTF-16 without its mark", "iconv -f UTF-16{order} -t UTF-8 FILE")
UTF32: Final = _piped("text in UTF-32", "iconv -f UTF-32 -t UTF-8 FILE")
TAR: Final = Foreign("a tar archive", "tar -xf FILE")
OLD_LINES: Final = _piped("text whose lines end in CR alone", r"tr '\r' '\n' < FILE")
# Numbers of types and codes are read, too.
OTHER_CAPTURE: Final = (
    f"(echo {_HEADER}; tshark -r FILE -Y 'dns.flags.response == 1' -T fields -E separator=, -E quote=d "
    f"-e frame.time_epoch -e dns.qry.name -e dns.qry.type -e dns.flags.rcode -e dns.a) | {_READ}"
)

MAGICS: Final[dict[bytes, Foreign]] = {
    b"\x28\xb5\x2f\xfd": _piped("compressed by zstd", "zstd -dc FILE"),
    b"\xfd7zXZ\x00": _piped("compressed by xz", "xz -dc FILE"),
    b"BZh": _piped("compressed by bzip2", "bzip2 -dc FILE"),
    b"\x04\x22\x4d\x18": _piped("compressed by lz4", "lz4 -dc FILE"),
    b"\x1f\x8b": _piped("gzipped twice", "gzip -dc FILE"),
    b"\x1f\x9d": _piped("compressed by compress", "gzip -dc FILE"),
    b"\x5d\x00\x00": _piped("compressed by lzma", "xz --format=lzma -dc FILE"),
    b"\xff\x06\x00\x00sNaPpY": _piped("compressed by snappy", "snzip -dc FILE"),
    b"PK\x03\x04": _piped("a zip archive", "unzip -p FILE"),
    b"PK\x05\x06": Foreign("a zip archive with nothing in it", "unzip -l FILE"),
    b"7z\xbc\xaf\x27\x1c": _piped("a 7z archive", "7z x -so FILE"),
    b"Rar!": _piped("a rar archive", "unrar p -inul FILE"),
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": _sheet("an old Office document"),
    b"PAR1": _piped("Parquet", """duckdb -csv -c "FROM read_parquet('FILE')\""""),
    b"ORC": Foreign("ORC", """python -c "import pandas; pandas.read_orc('FILE').to_csv('FILE.csv')\""""),
    b"ARROW1": Foreign(
        "Arrow", """python -c "import pandas; pandas.read_feather('FILE').to_csv('FILE.csv')\""""
    ),
    b"Obj\x01": Foreign("Avro", "avro-tools tojson FILE"),
    b"SQLite format 3\x00": _piped(
        "an SQLite database, as Pi-hole's pihole-FTL.db",
        "sqlite3 -header -csv FILE \"SELECT timestamp AS ts, domain AS query, '' AS qtype, '' AS rcode, "
        "'' AS answers FROM queries\"",
    ),
    b"snoop\x00\x00\x00": Foreign("a capture of snoop", _CAPTURE),
    b"GMBU": Foreign("a capture of Microsoft Network Monitor", _CAPTURE),
    b"RTSS": Foreign("a capture of Microsoft Network Monitor", _CAPTURE),
    b"TRSNIFF data": Foreign("a capture of Sniffer", _CAPTURE),
    b"XCP\x00": Foreign("a capture of NetXRay", _CAPTURE),
    b"iptrace ": Foreign("a capture of iptrace", _CAPTURE),
    b"LPKSHHRH": Foreign("a systemd journal", "journalctl --file FILE -o short > FILE.log"),
    b"ElfFile\x00": Foreign("a Windows event log", "wevtutil qe FILE /lf /f:text > FILE.log"),
    b"%PDF": Foreign("a PDF document", "pdftotext -layout FILE"),
}

_FIRST_OF_PAIR: Final = 'split(substr($0,RSTART+6,RLENGTH-6),q,"] "); print "," q[2] "," q[1] ",,"'

# Searched for in each of the first lines, in this order.
LINES: Final[tuple[tuple[re.Pattern[str], Foreign], ...]] = tuple(
    (re.compile(pattern), foreign)
    for pattern, foreign in (
        (
            r"\bdnsmasq(?:-dhcp)?(?:\[[0-9]+\])?: |\bquery\[[A-Z0-9=a-z]+\] \S+ from ",
            _awk("a log of dnsmasq or Pi-hole", rf"match($0,/query\[[^]]+\] [^ ]+/){{{_FIRST_OF_PAIR}}}"),
        ),
        (
            r"\bclient (?:@0x[0-9a-f]+ )?\S+#[0-9]+ (?:\(\S+\))?: (?:view \S+: )?query: ",
            _awk(
                "a query log of BIND",
                r"""{for(i=1;i<NF-2;i++) if($i=="query:"){print "," $(i+1) "," $(i+3) ",,"; next}}""",
            ),
        ),
        (
            r"\bunbound(?:\[[0-9]+|: \[)|\binfo: \S+ \S+\. [A-Z0-9]+ IN\b",
            _awk(
                "a log of Unbound",
                r"""{for(i=3;i<=NF;i++) if($i=="IN" && $(i-2) ~ /\.$/)"""
                r"""{print "," $(i-2) "," $(i-1) ",,"; next}}""",
            ),
        ),
        (
            r"\bquestion for '[^']*\|",
            _awk(
                "a log of PowerDNS Recursor",
                r"""match($0,/question for \x27[^\x27]+/)"""
                r"""{split(substr($0,RSTART+14,RLENGTH-14),q,"|"); print "," q[1] "," q[2] ",,"}""",
            ),
        ),
        (
            r'"[A-Z0-9]+ IN \S+ (?:udp|tcp) [0-9]+ ',
            _awk(
                "a log of CoreDNS",
                r"""{for(i=2;i<NF-3;i++) if($i=="IN" && $(i-1) ~ /^"/)"""
                r"""{print "," $(i+1) "," substr($(i-1),2) "," $(i+6) ","; next}}""",
            ),
        ),
        (
            r"\bPACKET +[0-9A-Fa-f]+ (?:UDP|TCP) (?:Snd|Rcv) |^DNS Server log file creation",
            _awk(
                "a debug log of Windows DNS",
                r"""/ PACKET / && / R Q \[/{n=$NF; gsub(/\([0-9]+\)/,".",n); sub(/^\./,"",n); """
                r"""print "," n "," $(NF-1) ",,"}""",
            ),
        ),
        (
            r"[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]+ (?:\S+ +(?:In|Out) +)?IP6? \S+ > \S+:",
            Foreign("packets printed by tcpdump", "tcpdump -w FILE.pcap port 53"),
        ),
        (
            r"^\s*[0-9]+ +[0-9]+\.[0-9]+ +\S+ (?:→|->) \S+ ",
            Foreign("packets printed by tshark", "tshark -w FILE.pcapng -f 'port 53'"),
        ),
        (
            r"^type: MESSAGE|^(?:\S+ )?[0-9:.]{8,} [CRAFST][QR] ",
            Foreign("dnstap printed as text", "dnstap -u /run/dnstap.sock -w FILE.dnstap"),
        ),
        (
            r"\b(?:CLIENT|RESOLVER|AUTH|FORWARDER|STUB)_(?:QUERY|RESPONSE)\b",
            Foreign("a log of DNS-collector as text", "sed -i 's/mode: text/mode: json/' config.yml"),
        ),
        (
            r"^[0-9]{10}\.[0-9]+\tC[0-9A-Za-z]{10,20}\t",
            Foreign(
                "rows of a Zeek log without its header lines", f"(grep '^#' dns.log; cat FILE) | {_READ}"
            ),
        ),
        (
            r"^[0-9]{10}(?:\.[0-9]+)?,[^,]+,[A-Z0-9]+,[A-Z]*,",
            _piped("rows of a CSV without its header", f"(echo {_HEADER}; cat FILE)"),
        ),
        (
            r"^(?:0\.0\.0\.0|127\.0\.0\.1|::1?)\s+[A-Za-z0-9]",
            _awk("a hosts file", r"""/^[0-9:]/ && NF>1{print "," $2 ",,,"}"""),
        ),
        (
            r"^\$(?:ORIGIN|TTL)\b|\sIN\s+SOA\s|^; <<>> DiG",
            Foreign("a zone file, or what dig printed", "tcpdump -w FILE.pcap port 53"),
        ),
        (r"^\s*<(?:!doctype|html|\?xml)", Foreign("a page or document in HTML or XML", "less FILE")),
    )
)

NAMES: Final = _awk("a list of names without times or answers", """NF{print "," $1 ",,,"}""")

# A JSON object that has all of these keys, in this order.
OBJECTS: Final[tuple[tuple[tuple[str, ...], Foreign], ...]] = (
    (
        ("event_type",),
        _jq(
            "Suricata's eve.json",
            ".timestamp, ($d.rrname // $d.queries[0].rrname), ($d.rrtype // $d.queries[0].rrtype), $d.rcode, "
            '([$d.grouped.CNAME[]?, $d.grouped.A[]?, $d.grouped.AAAA[]?] | join(","))',
            'select(.event_type == "dns" and (.dns.type | IN("answer", "response"))) | .dns as $d | ',
        ),
    ),
    (("QH", "QT"), _jq("a query log of AdGuard Home", '.T, .QH, .QT, "", ""')),
    (
        ("query_name", "query_type"),
        _jq(
            "a query log of Amazon Route 53",
            '.query_timestamp, .query_name, .query_type, .rcode, ([.answers[]?.Rdata] | join(","))',
        ),
    ),
    (
        ("rrname", "rrtype"),
        Foreign("passive DNS, no query log", "python -m transformer.graph_store import FILE"),
    ),
    (
        ("cond",),
        Foreign("passive DNS of DNSDB, no query log", "python -m transformer.graph_store import FILE"),
    ),
    (("layers",), Foreign("packets printed by tshark", "tshark -w FILE.pcapng -f 'port 53'")),
    (
        ("type", "message"),
        Foreign("dnstap printed as JSON", "dnstap -u /run/dnstap.sock -w FILE.dnstap"),
    ),
)
ARRAY: Final = _piped("a JSON array, not an object a line", "jq -c '.[]' FILE")
TSHARK_ARRAY: Final = Foreign("packets printed by tshark", "tshark -w FILE.pcapng -f 'port 53'")
SPREAD_JSON: Final = _piped("JSON over several lines, not an object a line", "jq -c . FILE")
SPREADSHEET: Final = _sheet("a spreadsheet")
