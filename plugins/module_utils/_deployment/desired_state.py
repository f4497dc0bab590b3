# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a deployment shall put into service, read and checked as far as it can be without a handshake."""

from __future__ import annotations

import hashlib
import hmac
import math
import os
import shlex
import typing as t
from dataclasses import dataclass, replace
from datetime import datetime

from .._common.names import covers, iso_time, normalize_name
from .directory import read_file
from .drift import ContentHashes
from .errors import DeploymentError, InvalidRequest, NamesNotCovered, NotValidNow, UntrustedChain
from .private_key import PKCS8, looks_like_a_path, read_key, to_pkcs8, why_unreadable
from .records import FILE_NAMES, sha256
from .shell_syntax import shell_syntax
from .x509 import Certificate, Malformed, read_certificates

Command = t.Tuple[str, ...]

_MAX_PASSWORD = 1023  # bytes of UTF-8; openssl reads no more, and leaves out the rest without a word


@dataclass(frozen=True)
class DesiredState:
    """What shall be in service.

    Arguments:
        names: the expected names, normalized.
        key: the private key as one PEM block; empty in check mode where its file is still to be made.
        file_kinds: which files to write, by the names of ``lineage.FILE_NAMES``.
        certificate: the leaf; None for a placeholder that is still to be made, and in check mode where a file is.
        chain: what follows the leaf.
        placeholder: whether a self-signed certificate will do.
        key_source: where the key was taken from, for messages.
        missing_file: of the certificate or its chain, which is still to be made; None unless in check mode.
        password: of the PKCS#12 file; None without one.
        keystore: the PKCS#12 file, once it is made.
    """

    names: tuple[str, ...]
    key: bytes
    file_kinds: tuple[str, ...]
    certificate: Certificate | None = None
    chain: tuple[Certificate, ...] = ()
    placeholder: bool = False
    key_source: str = "'private_key'"
    missing_file: str | None = None
    password: str | None = None
    keystore: bytes = b""

    @property
    def leaf(self) -> Certificate:
        """The leaf, once a placeholder has been made.

        Raises:
            UntrustedChain: there is none yet.
        """
        if self.certificate is None:
            raise UntrustedChain("The placeholder has not been made yet")
        return self.certificate

    def covers(self, name: str) -> bool:
        """Whether the leaf covers a normalized name, or will, as far as that is known while it is still to be made."""
        if self.certificate:
            return self.certificate.covers(name)
        return not self.placeholder or covers(self.names, name)

    def with_certificate(self, certificate: Certificate) -> DesiredState:
        """The same with another leaf."""
        return replace(self, certificate=certificate)

    def with_keystore(self, keystore: bytes) -> DesiredState:
        """The same with its PKCS#12 file."""
        return replace(self, keystore=keystore)

    @property
    def fullchain(self) -> bytes:
        """Leaf and chain as PEM."""
        return self.leaf.pem.encode("ascii") + self._chain_pem()

    def files(self) -> dict[str, bytes]:
        """The content of each file, by file name."""
        leaf = self.certificate.pem.encode("ascii") if self.certificate else b""
        chain = self._chain_pem()
        contents = {
            "cert": leaf,
            "chain": chain,
            "fullchain": leaf + chain,
            "privkey": self.key,
            "combined": leaf + chain + self.key,
            "pkcs12": self.keystore,
        }
        return {FILE_NAMES[kind]: contents[kind] for kind in self.file_kinds}

    def content_hashes(self) -> ContentHashes:
        """What to compare with a version's record."""
        return ContentHashes(
            certificate=self.certificate.fingerprint_sha256 if self.certificate else "",
            chain=sha256(self._chain_pem()),
            key=sha256(self.key),
            files={name: sha256(content) for name, content in self.files().items()},
            keystore=self._keystore_hmac(),
        )

    def _keystore_hmac(self) -> str:
        """Names the password of the PKCS#12 file to nobody but who has the private key; empty without a password."""
        if self.password is None:
            return ""
        return hmac.new(self.key, b"keystore " + self.password.encode("utf-8"), hashlib.sha256).hexdigest()

    def record(self) -> dict[str, t.Any]:
        """What a version's record says beside the files' hashes."""
        record = describe(self.certificate)
        hashes = self.content_hashes()
        record.update(placeholder=self.placeholder, chain_sha256=hashes.chain, key_sha256=hashes.key)
        if hashes.keystore:
            record["keystore_hmac"] = hashes.keystore
        return record

    def _chain_pem(self) -> bytes:
        return "".join(item.pem for item in self.chain).encode("ascii")


def describe(certificate: Certificate | None) -> dict[str, t.Any]:
    """A certificate's facts as they are returned and recorded; all null without a certificate."""
    return {
        "serial_number": certificate.serial_number if certificate else None,
        "fingerprint_sha256": certificate.fingerprint_sha256 if certificate else None,
        "not_before": iso_time(certificate.not_before) if certificate else None,
        "not_after": iso_time(certificate.not_after) if certificate else None,
        "names": list(certificate.names) if certificate else [],
    }


def recorded_hashes(record: t.Mapping[str, t.Any]) -> ContentHashes:
    """The hashes in a version's record."""
    return ContentHashes(
        certificate=str(record.get("fingerprint_sha256")),
        chain=str(record.get("chain_sha256")),
        key=str(record.get("key_sha256")),
        files=record["files"],
        keystore=str(record.get("keystore_hmac") or ""),
    )


@dataclass(frozen=True)
class Source:
    """Where certificates are taken from.

    Arguments:
        option: its name, for messages.
        text: PEM, if it is given as content.
        path: a file on the target, if one is given instead; never changed.
    """

    option: str
    text: str | None = None
    path: str | None = None

    @property
    def is_given(self) -> bool:
        """Whether there is anything to read."""
        return self.path is not None or bool(self.text and self.text.strip())


def absolute_path(path: str, option: str) -> str:
    """A path that an option names, without dots and doubled slashes.

    Raises:
        InvalidRequest: it is relative, and would lead to wherever the run happens to stand.
    """
    if not os.path.isabs(path):
        raise InvalidRequest(f"'{option}' is {path!r}; give an absolute path on the target")
    return os.path.abspath(path)


def read_desired_state(
    certificate: Source,
    chain: Source,
    private_key: str | None,
    private_key_path: str | None,
    names: t.Sequence[str],
    files: t.Sequence[str],
    placeholder: bool,
    now: datetime,
    check_mode: bool = False,
    key_format: str = "original",
    pkcs12_password: str | None = None,
) -> DesiredState:
    """Read what shall be in service.

    Arguments:
        certificate: the leaf; a chain behind it is accepted.
        chain: the certificates that follow the leaf.
        private_key: the key as PEM; if None, it is read from private_key_path.
        private_key_path: a file on the target, never changed.
        names: the names that must be covered; none given: those of the certificate.
        files: kinds of files to write.
        placeholder: whether to make a self-signed certificate instead.
        now: the time at which the certificate must be valid, UTC.
        check_mode: whether files may be missing: an earlier task may make them.
        key_format: ``original``, or ``pkcs8`` to convert the key where it has another format.
        pkcs12_password: of the PKCS#12 file, if ``files`` names one.

    Raises:
        InvalidRequest: the certificate, the chain or a name is none, or the password cannot be one.
        InvalidKey, NamesNotCovered, NotValidNow: as their names say.
    """
    key_source = "'private_key'" if private_key is not None else str(private_key_path)
    if check_mode and private_key is None and not os.path.lexists(key_source):
        key = b""
    else:
        key = read_key(private_key, key_source)
        key = to_pkcs8(key, key_source) if key_format == PKCS8 else key
    expected = _read_names(names)
    kinds = tuple(kind for kind in FILE_NAMES if kind in files)
    password = _read_password(pkcs12_password) if "pkcs12" in files else None
    if placeholder:
        if not expected:
            raise InvalidRequest("A placeholder needs 'names'")
        return DesiredState(expected, key, kinds, placeholder=True, key_source=key_source, password=password)
    absent = [one.path for one in (certificate, chain) if check_mode and one.path and not os.path.lexists(one.path)]
    if absent:
        return DesiredState(expected, key, kinds, key_source=key_source, missing_file=absent[0], password=password)
    read = _read_certificates(certificate) + (_read_certificates(chain) if chain.is_given else [])
    leaf, *issuers = {item.der: item for item in read}.values()
    _check_validity(leaf, now)
    expected = expected or _read_names(leaf.names, NamesNotCovered)
    missing = [name for name in expected if not leaf.covers(name)]
    if missing or not expected:
        wanted, found = ", ".join(missing) or "any name", ", ".join(leaf.names) or "no name at all"
        raise NamesNotCovered(
            f"The certificate of '{leaf.subject}' does not cover {wanted}; it is for {found}", missing_names=missing
        )
    return DesiredState(expected, key, kinds, leaf, tuple(issuers), key_source=key_source, password=password)


def read_commands(commands: t.Sequence[t.Any], option: str) -> list[Command]:
    """Commands as words: each is a string, split as a shell splits words, or a list of words.

    Raises:
        InvalidRequest: a command cannot be split, is empty, or asks for a shell.
    """
    read = []
    for command in commands:
        if not isinstance(command, (str, list, tuple)):
            raise InvalidRequest(f"An item of '{option}' is neither a string nor a list of words: {command!r}")
        try:
            words = shlex.split(command) if isinstance(command, str) else [str(word) for word in command]
        except ValueError as exc:
            raise InvalidRequest(f"An item of '{option}' is no command: {exc}") from exc
        if not words or not words[0]:
            raise InvalidRequest(f"An item of '{option}' is empty")
        operator = shell_syntax(command) if isinstance(command, str) else None
        if operator:
            raise InvalidRequest(
                f"{operator!r} in an item of '{option}' would be a word like any other, since no shell is used; give "
                "each command as an item of its own and paths in full, or put quotes around it where it is meant as "
                "it stands. What needs a shell is a list: [sh, -c, '...']"
            )
        if "\0" in "".join(words):
            raise InvalidRequest(f"An item of '{option}' holds a NUL byte")
        read.append(tuple(words))
    return read


def read_probes(
    probes: t.Sequence[t.Mapping[str, t.Any]], timeout: float, desired: DesiredState
) -> list[dict[str, t.Any]]:
    """Probes with their ``server_name`` as certificates carry it; one that can never hold is refused.

    Arguments:
        probes: mappings with ``host``, ``port``, ``server_name``, ``starttls`` and ``proxy_protocol``.
        timeout: seconds until each probe's deadline.
        desired: what the services shall serve; a probe without a name asks for the first expected one.

    Raises:
        InvalidRequest: a host, port or server name is none, or the timeout is out of bounds.
        NamesNotCovered: the certificate does not cover a server name.
    """
    if not (math.isfinite(timeout) and timeout >= 0):
        raise InvalidRequest(f"'probe_timeout' is {timeout}, and has to be a number of seconds")
    fallback = desired.names[0] if desired.names else None  # the certificate may be still to be made
    if fallback and fallback.startswith("*."):
        fallback = "www" + fallback[1:]
    read = []
    for item in probes:
        if not 0 < item["port"] < 65536:
            raise InvalidRequest(f"The port {item['port']} in 'probes' is no TCP port")
        host = item["host"].partition("%")[0]  # an IPv6 address may have a zone
        if host.startswith("*.") or not _is_name(host):
            raise InvalidRequest(
                f"The host {item['host']!r} in 'probes' is no host name and no address; a URL is none, and the port is "
                "given as 'port'"
            )
        given = item.get("server_name") or fallback
        if given is None:
            read.append(dict(item, server_name=host))
            continue
        (name,) = _read_names([given])
        if name.startswith("*."):
            raise InvalidRequest(f"A probe asks for {given!r}; give the name of one server, no wildcard")
        if not desired.covers(name):
            raise NamesNotCovered(
                f"A probe asks for {given!r}, which the certificate does not cover",
                missing_names=[name],
            )
        read.append(dict(item, server_name=name))
    return read


def _read_password(password: str | None) -> str:
    if not password:
        raise InvalidRequest("A PKCS#12 file needs 'pkcs12_password'")
    if not password.isprintable() or len(password.encode("utf-8")) > _MAX_PASSWORD:
        raise InvalidRequest(
            f"'pkcs12_password' has to be one line of printable characters, of at most {_MAX_PASSWORD} bytes in UTF-8"
        )
    return password


def _read_names(names: t.Sequence[str], error: type[DeploymentError] = InvalidRequest) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for name in names:
        try:
            found[normalize_name(name)] = None
        except ValueError as exc:
            raise error(f"{name!r} is expected, but is no DNS name and no IP address") from exc
    return tuple(found)


def _is_name(name: str) -> bool:
    try:
        return bool(normalize_name(name))
    except ValueError:
        return False


def _read_certificates(source: Source) -> list[Certificate]:
    text, what = source.text or "", f"'{source.option}'"
    if source.path is not None:
        what = source.path
        try:
            text = read_file(source.path).decode("ascii", "replace")
        except OSError as exc:
            raise InvalidRequest(
                f"The file of '{source.option}_path', {what}, cannot be read: {why_unreadable(exc)}"
            ) from exc
    try:
        found = read_certificates(text)
    except Malformed as exc:
        raise InvalidRequest(f"{what} cannot be read: {exc}") from exc
    if found:
        return found
    if not text.strip():
        raise InvalidRequest(f"{what} is empty")
    if looks_like_a_path(text) and source.path is None:
        raise InvalidRequest(
            f"{what} looks like a path; give the path of a file on the target as '{source.option}_path', or the "
            "content, for example with the lookup 'ansible.builtin.file'"
        )
    if text.lstrip().startswith("["):
        raise InvalidRequest(f"{what} is a list; give one text, for example {{{{ certificates | join('\\n') }}}}")
    raise InvalidRequest(f"{what} holds no certificate in PEM")


def _check_validity(leaf: Certificate, now: datetime) -> None:
    if leaf.not_before <= now < leaf.not_after:
        return
    what = f"is not valid before {iso_time(leaf.not_before)}"
    if now >= leaf.not_after:
        what = f"expired at {iso_time(leaf.not_after)}"
    raise NotValidNow(
        f"The certificate of '{leaf.subject}' {what}; this host's clock says {iso_time(now)}",
        not_before=iso_time(leaf.not_before),
        not_after=iso_time(leaf.not_after),
    )
