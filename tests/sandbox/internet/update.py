# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client for dynamic updates (RFC 2136), as a task file of the role may call: adds or removes one value of a record.

Run it as a program: ``update.py SERVER:PORT ZONE KEY=SECRET present|absent TYPE FQDN VALUE``.
"""

from __future__ import annotations

import sys

import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.tsigkeyring
import dns.update


def update(server: str, zone: str, key: str, state: str, kind: str, fqdn: str, value: str) -> str:
    """The server's answer in one word; NOERROR where it did what was asked. Other values of the record stay."""
    name, _equals, secret = key.partition("=")
    ring = dns.tsigkeyring.from_text({name: secret})
    message = dns.update.UpdateMessage(zone, keyring=ring, keyalgorithm=dns.tsig.HMAC_SHA256)
    text = f'"{value}"' if kind == "TXT" else value.rstrip(".") + "."
    if state == "present":
        message.add(fqdn.rstrip(".") + ".", 300, kind, text)
    else:
        message.delete(fqdn.rstrip(".") + ".", kind, text)
    host, _colon, port = server.rpartition(":")
    return dns.rcode.to_text(dns.query.tcp(message, host, port=int(port), timeout=10).rcode())


def main() -> int:
    """Update as the arguments say."""
    answer = update(*sys.argv[1:])
    print(answer)
    return 0 if answer == "NOERROR" else 1


if __name__ == "__main__":
    sys.exit(main())
