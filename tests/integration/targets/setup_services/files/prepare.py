# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the workplace of one service: ``prepare.py AUTHORITY PROGRAM NAME...``, the first name a DNS name.

Prints as JSON where the program is (null when it is not installed), and otherwise a new folder with a CA and three
certificates for the names, each newer than the one before, and ports that are free.

The folder is below /tmp: services listen on Unix sockets, whose paths have at most 107 bytes, and services that give up
root have to be able to reach it.
"""

from __future__ import annotations

import datetime
import errno
import getpass
import glob
import grp
import hashlib
import importlib.util
import json
import os
import pathlib
import random
import shutil
import socket
import sys
import tempfile
import types

#: Folders with servers that are not on everybody's PATH.
_SERVERS = ("/usr/local/sbin", "/usr/sbin", "/sbin", *glob.glob("/usr/lib/postgresql/*/bin"))

#: Below the ports that Linux gives to outgoing connections: the load of a test must not take a service's port.
_PORTS = range(20000, 32000)

#: Name, kind of key and age in days of each certificate.
_CERTIFICATES = (("first", "rsa", 40), ("second", "ecdsa", 10), ("third", "ecdsa", 1))


def load(path: str) -> types.ModuleType:
    """The sandbox's certificate authority, which is no installed module."""
    spec = importlib.util.spec_from_file_location("authority", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules["authority"] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


def make_certificates(authority: types.ModuleType, folder: pathlib.Path, names: list[str]) -> dict[str, object]:
    """Write root.pem, and a folder with cert.pem, chain.pem and privkey.pem for each certificate."""
    ca = authority.Authority(folder / "authority")
    made: dict[str, object] = {"root": str(ca.ca_file)}
    for serial, (label, kind, age) in enumerate(_CERTIFICATES, start=0xA001):
        key = authority.new_key(kind)
        not_before = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=age)
        leaf = ca.issue(key.public_key(), names, serial, not_before, not_before + datetime.timedelta(days=90))
        place = folder / label
        place.mkdir()
        place.joinpath("cert.pem").write_text(authority.pem(leaf), encoding="ascii")
        place.joinpath("chain.pem").write_text("".join(map(authority.pem, ca.chain(leaf))), encoding="ascii")
        place.joinpath("privkey.pem").touch(mode=0o600)
        place.joinpath("privkey.pem").write_text(authority.key_pem(key), encoding="ascii")
        made[label] = {
            "folder": str(place),
            "serial_number": f"{serial:X}",
            "fingerprint_sha256": hashlib.sha256(authority.der(leaf)).digest().hex(":").upper(),
        }
    return made


def listens_on_ipv6() -> bool:
    """Whether this machine has ::1."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as listener:
            listener.bind(("::1", 0))
    except OSError:
        return False
    return True


def free_port(ipv6: bool) -> int:
    """A port that nothing listens on at any loopback address."""
    for port in random.sample(_PORTS, k=100):
        try:
            with socket.socket() as listener:
                listener.bind(("127.0.0.1", port))
            if ipv6:
                with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as listener:
                    listener.bind(("::1", port))
        except OSError as exc:
            if exc.errno == errno.EADDRINUSE:
                continue
            raise
        return port
    raise SystemExit("no free port was found")


def main() -> int:
    """Make the workplace."""
    authority, program, *names = sys.argv[1:]
    found = shutil.which(program, path=os.pathsep.join([os.environ.get("PATH", ""), *_SERVERS]))
    if found is None:
        print(json.dumps({"program": None}))
        return 0
    folder = pathlib.Path(tempfile.mkdtemp(prefix="certops-", dir="/tmp"))
    folder.chmod(0o711)
    try:
        ipv6 = listens_on_ipv6()
        report = {
            "program": found,
            "folder": str(folder),
            "lineage": str(folder / "lineage"),
            "names": names,
            "certificates": make_certificates(load(authority), folder, names),
            "port": free_port(ipv6),
            "ipv6": ipv6,
            "user": getpass.getuser(),
            "group": grp.getgrgid(os.getegid()).gr_name,
            "is_root": os.geteuid() == 0,
        }
    except BaseException:
        shutil.rmtree(folder)
        raise
    print(json.dumps(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
