# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rehearsal: the new files in a full TLS handshake in memory, before anything on disk is touched.

OpenSSL takes its files by name only; here the names lead to memory, or to a private folder where there is none.
"""

from __future__ import annotations

import os
import re
import shutil
import ssl
import tempfile
import typing as t
from contextlib import contextmanager

from .._common.names import iso_time
from .directory import MAX_FILE_SIZE, read_file
from .errors import InvalidKey, KeyMismatch, NamesNotCovered, NoTrustStore, UntrustedChain
from .private_key import why_unreadable
from .x509 import Certificate, Malformed, read_certificate, read_certificates

SYSTEM = "system"
CA_PATH = "ca_path"
CHAIN_ONLY = "chain_only"

# From openssl/x509_vfy.h; the ssl module has names for some, and not on Python 3.8.
_PARTIAL_CHAIN = 0x80000
_NO_CHECK_TIME = 0x200000
_NAME_MISMATCHES = (62, 64)  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH
_NOT_NOW = (9, 10)  # X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED
_NO_ISSUER = (2, 18, 19, 20, 21)  # X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT and its kin, self-signed ones included
_MISMATCHES = ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED", "UNKNOWN_CERTIFICATE_TYPE")
#: Bytes of a file with CA certificates; the bundles of operating systems have a quarter of a million.
_MAX_BUNDLE_SIZE = 16 << 20
_HASHED_NAME = re.compile(r"[0-9a-f]{8}\.\d+")


def rehearse(
    certificate: Certificate,
    chain: t.Sequence[Certificate],
    private_key: bytes,
    names: t.Sequence[str],
    trust: str,
    ca_path: str | None = None,
    key_source: str = "'private_key'",
) -> tuple[bytes, ...]:
    """Verify by handshakes that key and certificate match, every name is covered and the chain holds.

    Arguments:
        certificate: the leaf.
        chain: what follows the leaf, in its order.
        private_key: the key as PEM, not encrypted.
        names: the expected names, normalized; each gets a handshake.
        trust: ``system``, ``ca_path`` or ``chain_only``.
        ca_path: a file, or a directory of files, with CA certificates as PEM, for ``ca_path``.
        key_source: where the key was taken from, for messages.

    Returns:
        The anchors the chain leads to, as DER: a service that sends the whole chain is trusted by these alone.

    Raises:
        KeyMismatch, InvalidKey, NamesNotCovered, UntrustedChain, NoTrustStore: as their names say.
    """
    check_links(certificate, chain)
    server = _server_context(certificate, chain, private_key, key_source)
    top = chain[-1] if chain else certificate
    links = anchored_context([top.der])
    if trust == CHAIN_ONLY:
        for name in names:
            _verify(server, links, name, certificate, chain)
        return (top.der,)
    links.verify_flags |= _NO_CHECK_TIME
    _verify(server, links, names[0], certificate, chain)
    client = _system_context() if trust == SYSTEM else _ca_path_context(ca_path)
    for name in names:
        _verify(server, client, name, certificate, chain)
    return _anchors(client, certificate, chain)


def check_links(certificate: Certificate, chain: t.Sequence[Certificate]) -> None:
    """Check that each certificate names the next one as its issuer.

    A handshake does not show it: OpenSSL sorts the chain and fills gaps from the trust store.

    Raises:
        UntrustedChain: the chain is out of order or has a gap.
    """
    for lower, upper in zip((certificate, *chain), chain):
        if lower.issuer_name == upper.subject_name:
            continue
        if any(lower.issuer_name == other.subject_name for other in chain):
            raise UntrustedChain(
                f"The chain is out of order: '{lower.subject}' must be followed by its issuer '{lower.issuer}', but "
                f"'{upper.subject}' follows"
            )
        raise UntrustedChain(
            f"The chain is broken: the certificate of '{lower.issuer}', which issued '{lower.subject}', is missing",
            missing_issuer=lower.issuer,
        )


def anchored_context(anchors: t.Iterable[bytes]) -> ssl.SSLContext:
    """A client context that trusts these certificates, as DER, and nothing else."""
    context = _client_context()
    context.verify_flags |= _PARTIAL_CHAIN
    context.load_verify_locations(cadata=b"".join(anchors))
    return context


def _client_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.hostname_checks_common_name = False
    return context


def _system_context() -> ssl.SSLContext:
    context = _client_context()
    context.set_default_verify_paths()
    if not context.cert_store_stats()["x509_ca"]:
        folder = ssl.get_default_verify_paths().capath
        listed = os.listdir(folder) if folder and os.path.isdir(folder) else []
        if not any(map(_HASHED_NAME.fullmatch, listed)):
            raise NoTrustStore(
                "The trust store of this host holds no CA certificates; install them (often the package "
                "'ca-certificates'), or set 'ca_path', or 'trust: chain_only'"
            )
    return context


def _ca_path_context(ca_path: str | None) -> ssl.SSLContext:
    if not ca_path:
        raise NoTrustStore("'trust: ca_path' needs 'ca_path'")
    context = _client_context()
    found: set[bytes] = set()
    path = ca_path
    try:
        paths = [ca_path]
        if os.path.isdir(ca_path):
            paths = [os.path.join(ca_path, name) for name in sorted(os.listdir(ca_path))]
        for path in paths:
            if os.path.isfile(path) or path == ca_path:
                text = read_file(path, _MAX_BUNDLE_SIZE).decode("utf-8", "replace")
                new = {certificate.der for certificate in read_certificates(text)} - found
                if new:
                    context.load_verify_locations(cadata=b"".join(new))
                found |= new
    except (OSError, Malformed) as exc:  # an error of OpenSSL is an OSError
        reason = why_unreadable(exc) if isinstance(exc, OSError) and exc.filename else exc
        raise NoTrustStore(f"The CA certificates in {path} cannot be read: {reason}") from exc
    if not found:
        raise NoTrustStore(f"{ca_path} holds no CA certificates in PEM")
    return context


@contextmanager
def private_path(content: bytes) -> t.Iterator[tuple[str, tuple[int, ...]]]:
    """A path that leads to the content, and the descriptors a child process needs to read it.

    The content stays in memory (Linux); elsewhere it lies in a private temporary folder for as long as the context.
    """
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("certops")
        path = f"/proc/self/fd/{descriptor}"
        try:
            os.write(descriptor, content)
            if os.path.exists(path):
                yield path, (descriptor,)
                return
        finally:
            os.close(descriptor)
    folder = tempfile.mkdtemp()
    try:
        path = os.path.join(folder, "content")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(content)
        yield path, ()
    finally:
        shutil.rmtree(folder)


@contextmanager
def private_output() -> t.Iterator[tuple[str, tuple[int, ...], t.Callable[[], bytes]]]:
    """A path to write to, the descriptors a child process needs for it, and what reads back what was written.

    As with private_path(), it stays in memory where that can be had.
    """
    with private_path(b"") as (path, descriptors):

        def written() -> bytes:
            with open(path, "rb") as stream:
                return stream.read(MAX_FILE_SIZE)

        yield path, descriptors, written


def _refuse_password() -> str:
    """Keeps OpenSSL from waiting at the terminal, for ever, for the password of an encrypted key."""
    raise InvalidKey("The private key is encrypted; give it without a password")


def _server_context(
    certificate: Certificate, chain: t.Sequence[Certificate], private_key: bytes, key_source: str
) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    fullchain = "".join(item.pem for item in (certificate, *chain)).encode("ascii")
    with private_path(fullchain) as (certificate_path, _fds), private_path(private_key) as (key_path, _more_fds):
        try:
            context.load_cert_chain(certificate_path, key_path, password=_refuse_password)
        except ssl.SSLError as exc:
            reason = exc.reason or "unreadable"
            if reason in _MISMATCHES:
                raise KeyMismatch(
                    f"The private key in {key_source} does not belong to the certificate of "
                    f"'{certificate.subject}' (serial {certificate.serial_number}); name the key "
                    "with which the CSR of this order, or of its last reissue, was made"
                ) from exc
            if reason.startswith("CA_"):
                raise UntrustedChain(f"A TLS server cannot use this chain: {_words(reason)}") from exc
            raise InvalidKey(f"A TLS server cannot use this private key: {_words(reason)}") from exc
    return context


def _verify(
    server: ssl.SSLContext,
    client: ssl.SSLContext,
    name: str,
    certificate: Certificate,
    chain: t.Sequence[Certificate],
) -> None:
    try:
        _handshake(server, client, name)
    except ssl.SSLCertVerificationError as exc:
        if exc.verify_code in _NAME_MISMATCHES:
            raise NamesNotCovered(
                f"A client that asks for {name} refuses the certificate of '{certificate.subject}': "
                f"{exc.verify_message}",
                missing_names=[name],
            ) from exc
        raise _untrusted(exc, certificate, chain) from exc
    except ssl.SSLError as exc:
        raise InvalidKey(
            f"A TLS handshake with this key and certificate fails: {_words(exc.reason or str(exc))}"
        ) from exc


def _untrusted(
    exc: ssl.SSLCertVerificationError, certificate: Certificate, chain: t.Sequence[Certificate]
) -> UntrustedChain:
    """Say which certificate of the chain, or which missing one, OpenSSL complains about."""
    words = f"The chain of '{certificate.subject}' is not trusted: {exc.verify_message}"
    if exc.verify_code in _NOT_NOW:
        listed = [
            f"'{item.subject}' is valid from {iso_time(item.not_before)} to {iso_time(item.not_after)}"
            for item in chain
        ]
        return UntrustedChain(f"{words}. {'; '.join(listed)}")
    if exc.verify_code in _NO_ISSUER:
        top = [certificate, *(item for item in chain if not item.self_issued)][-1]
        return UntrustedChain(
            f"{words}. It ends at '{top.subject}', and the trust store does not hold its issuer '{top.issuer}'",
            missing_issuer=top.issuer,
        )
    return UntrustedChain(words)


def _handshake(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> None:
    """One TLS handshake between both contexts, through memory."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    while sides:
        waiting = []
        for side in sides:
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                waiting.append(side)
        sides = waiting


def _anchors(client: ssl.SSLContext, certificate: Certificate, chain: t.Sequence[Certificate]) -> tuple[bytes, ...]:
    """The roots of the trust store that the chain leads to by itself.

    Raises:
        UntrustedChain: only the trust store holds an intermediate that clients will need.
    """
    issuers = {item.issuer_name for item in (certificate, *chain)}
    found, odd = [], False
    for der in client.get_ca_certs(binary_form=True):
        try:
            root = read_certificate(der)
        except Malformed:  # OpenSSL is less strict about what is trusted already
            odd = True
            continue
        if root.self_issued and root.subject_name in issuers:
            found.append(root.der)
    if found:
        return tuple(found)
    top = chain[-1] if chain else certificate
    if odd or top.self_issued:  # it leads to the odd one, which cannot be known; or it is in the store, but no CA
        return (top.der,)
    raise UntrustedChain(
        f"The chain lacks the intermediate certificate '{top.issuer}', which issued '{top.subject}'. The trust "
        "store of this host holds it, clients do not",
        missing_issuer=top.issuer,
    )


def _words(reason: str) -> str:
    return reason.replace("_", " ").lower()
