"""Unbound Python module: asks the sidecar while a name is resolved, and says what it knows with the answer.

Nothing here waits: a question is a datagram sent when resolution starts, answers are read when it is done.
What is not there by then is not there; Unbound answers as it would have. Every entry point fails open.

Environment of the daemon: DNS_RISK_PLUGIN_ADDRESS (127.0.0.1:5311), DNS_RISK_PLUGIN_BLOCK (1: names that the
sidecar says to block do not exist). Only the name and the type of a query leave the resolver.
"""

import os
import socket
import time

BUDGET_MS = 500
# EDNS option with the answer of the sidecar as text: local use (RFC 6891, section 9).
OPTION = 65001
EDE_OPTION = 15
EDE_BLOCKED = 15
EDE_OTHER = 0
KEPT = 50_000
# sec_status_indeterminate: nothing that was validated, nothing that was found to be wrong.
SECURITY_INDETERMINATE = 2
READ_AT_ONCE = 64
# Answers from the cache look for news no more often than this: a look costs as much as such an answer.
READ_EVERY_S = 0.02

_socket = None
_block = False
_read_s = 0.0
_number = 0
# The questions sent last, by their number: older ones are answered in vain.
_asked = [None] * 4096
_known = {}
_older = {}


def init_standard(id, env):  # noqa: A002 - Unbound's names
    """Unbound starts or reloads: a socket, and callbacks for what is answered from where."""
    global _socket, _block  # noqa: PLW0603 - one module of one process
    try:
        _block = os.environ.get("DNS_RISK_PLUGIN_BLOCK") == "1"
        host, _, port = os.environ.get("DNS_RISK_PLUGIN_ADDRESS", "127.0.0.1:5311").rpartition(":")
        _socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        _socket.setblocking(False)  # noqa: FBT003
        _socket.connect((host.strip("[]"), int(port)))
        register_inplace_cb_reply(annotate, env, id)
        register_inplace_cb_reply_cache(annotate, env, id)
        register_inplace_cb_reply_local(annotate, env, id)
    except Exception as error:
        log_err("dns-risk: off: %r" % (error,))
        _socket = None
    return True


def deinit(id):  # noqa: A002
    """Unbound stops or reloads."""
    global _socket  # noqa: PLW0603
    if _socket is not None:
        _socket.close()
    _socket = None
    return True


def inform_super(id, qstate, superqstate, qdata):  # noqa: A002
    """Sub-queries are nobody's question."""
    return True


def operate(id, event, qstate, qdata):  # noqa: A002
    """Resolution starts: ask. It is done: read what came."""
    if event in (MODULE_EVENT_NEW, MODULE_EVENT_PASS):
        try:
            name = key(qstate.qinfo.qname_str)
            if known(name) is None:
                ask(name, qstate.qinfo.qtype_str)
        except Exception as error:
            log_err("dns-risk: %r" % (error,))
        qstate.ext_state[id] = MODULE_WAIT_MODULE
        return True
    if event == MODULE_EVENT_MODDONE:
        try:
            read()
            if _block:
                told = known(key(qstate.qinfo.qname_str))
                if told and told[2].startswith(b"block/"):
                    block(qstate)
        except Exception as error:
            log_err("dns-risk: %r" % (error,))
        qstate.ext_state[id] = MODULE_FINISHED
        return True
    qstate.ext_state[id] = MODULE_ERROR
    return True


def ask(name, qtype):
    """Send a question."""
    global _number  # noqa: PLW0603
    if _socket is None:
        return
    _number = (_number + 1) % 1_000_000
    _asked[_number % len(_asked)] = (_number, name)
    try:
        _socket.send(b"%d %d %s %s" % (_number, BUDGET_MS, qtype.encode(), name))
    except OSError:
        # Nobody there, or no room to send: nothing is known, which is the same as allow.
        pass


def read():
    """Take the answers that have come."""
    if _socket is None:
        return
    for _ in range(READ_AT_ONCE):
        try:
            parts = _socket.recv(1024).split(b" ")
        except OSError:
            return
        number = int(parts[0])
        asked = _asked[number % len(_asked)]
        if asked and asked[0] == number and len(parts) == 5 and parts[1] == b"S":
            remember(asked[1], parts[2], int(parts[3]), parts[4])


def remember(name, score, ttl_s, reason):
    """Keep an answer; of two generations the older one is forgotten when the younger is full."""
    global _known, _older
    if len(_known) >= KEPT:
        _known, _older = {}, _known
    _known[name] = (time.monotonic() + ttl_s, score, reason)


def known(name):
    """(until, score in thousandths, action/category) of a name, or None."""
    told = _known.get(name) or _older.get(name)
    return told if told and told[0] > time.monotonic() else None


def key(name):
    """A name as the sidecar writes it."""
    return name.rstrip(".").lower().encode("ascii", "replace") or b"."


def block(qstate):
    """Answer that the name does not exist; the true answer stays out of the message cache."""
    if qstate.return_msg:
        invalidateQueryInCache(qstate, qstate.return_msg.qinfo)
    message = DNSMessage(qstate.qinfo.qname_str, qstate.qinfo.qtype, RR_CLASS_IN, PKT_QR | PKT_RA)
    if message.set_return_msg(qstate):
        # In the flags of the answer: as `return_rcode`, Unbound takes it for a failure and answers SERVFAIL.
        reply = qstate.return_msg.rep
        reply.flags = reply.flags & ~0xF | RCODE_NXDOMAIN
        reply.security = SECURITY_INDETERMINATE
        qstate.return_rcode = RCODE_NOERROR


def annotate(qinfo, qstate, rep, rcode, edns, opt_list_out, region, **kwargs):
    """Put the score beside an answer: an extended error for people, an option for programs."""
    global _read_s  # noqa: PLW0603
    try:
        now_s = time.monotonic()
        if now_s > _read_s:
            read()
            _read_s = now_s + READ_EVERY_S
        name = key(qinfo.qname_str)
        told = known(name)
        if told is None:
            # Answers from a zone or the cache never pass `operate`: ask for the next time.
            ask(name, qinfo.qtype_str)
        elif not told[2].startswith(b"allow/"):
            nowhere = rcode == RCODE_NXDOMAIN or (rep and rep.flags & 0xF == RCODE_NXDOMAIN)
            code = EDE_BLOCKED if nowhere and told[2].startswith(b"block/") else EDE_OTHER
            text = b"dns-risk " + told[2]
            edns_opt_list_append(opt_list_out, EDE_OPTION, bytearray(code.to_bytes(2, "big") + text), region)
            edns_opt_list_append(opt_list_out, OPTION, bytearray(told[1] + b" " + told[2]), region)
    except Exception as error:
        log_err("dns-risk: %r" % (error,))
    return True
