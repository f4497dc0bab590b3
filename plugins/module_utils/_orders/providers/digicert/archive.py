# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates that DigiCert sends as an archive.

Private to this collection. See section 8 of the DigiCert fact sheet, docs/providers/digicert.md.
"""

from __future__ import annotations

import io
import zipfile
import zlib

from ...errors import UnexpectedResponse

#: Bounds for archives, in bytes and files: a certificate with its chain and root is four small files.
_MAX_ARCHIVE_SIZE = 1024 * 1024
_MAX_MEMBERS = 20
_MAX_MEMBER_SIZE = 256 * 1024


def unzip(content: bytes) -> tuple[str, ...]:
    """The certificate files of an archive, each read up to a bound.

    Only stored and deflated members are read: other compressions reserve memory by what the archive demands.
    """
    if len(content) > _MAX_ARCHIVE_SIZE:
        raise UnexpectedResponse("the archive in it is larger than any with a certificate", retryable=False)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [item for item in archive.infolist() if item.filename.lower().endswith((".crt", ".cer", ".pem"))]
            texts = []
            for member in members[:_MAX_MEMBERS]:
                if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise UnexpectedResponse(
                        f"the archive in it is compressed by method {member.compress_type}, which is not read",
                        retryable=False,
                    )
                with archive.open(member) as opened:
                    texts.append(opened.read(_MAX_MEMBER_SIZE).decode("latin-1"))
            return tuple(texts)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError) as exc:
        raise UnexpectedResponse(f"the archive in it cannot be read ({type(exc).__name__})") from exc
