# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When an order may count as issued, and when its word is not known, read from the fact sheets anew (section 5).

These share nothing with the collection on purpose, and are kept as small as can be.
"""

from __future__ import annotations

import json
import re
import typing as t
from urllib.parse import parse_qsl


def _data(body: bytes) -> t.Any:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = body.decode("latin-1")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _word(value: t.Any) -> str:
    return str(value).strip().lower() if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""


def _field(value: t.Any, *names: str) -> t.Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _one(value: t.Any) -> bool:
    return value is True or _word(value) in ("1", "true", "yes", "y")


def _cpanel_data(body: bytes) -> t.Any:
    found = _data(body)
    for inner in (_field(found, "data", "uapi"), _field(found, "result")):
        if isinstance(inner, dict):
            return _field(inner, "data")
    return _field(found, "data")


def _cpanel(bodies: t.Mapping[str, bytes]) -> bool:
    data = _cpanel_data(bodies["available"])
    return bool(_word(_field(data, "certificate_pem"))) and _word(_field(data, "status_code")) != "ca:revoked"


def _digicert(bodies: t.Mapping[str, bytes]) -> bool:
    info, validation = _data(bodies["info"]), _data(bodies["validation"])
    word = _word(_field(info, "status")) or _word(_field(validation, "order_status"))
    collectable = re.fullmatch("[0-9]+", _word(_field(info, "certificate", "id"))) is not None
    if word in ("approved", "reissue"):
        return collectable and bool(_word(_field(info, "certificate", "date_issued")))
    return word == "issued" and collectable


def _gogetssl(bodies: t.Mapping[str, bytes]) -> bool:
    body = _data(bodies["status"])
    whole = _word(_field(body, "crt_code")) and _word(_field(body, "ca_code"))
    return _word(_field(body, "status")) == "active" and not _one(_field(body, "reissue_now")) and bool(whole)


def _sectigo_pairs(body: bytes) -> list[tuple[str, str]]:
    data = _data(body)
    if isinstance(data, dict):
        return [
            (key, _word(one)) for key, value in data.items() for one in (value if isinstance(value, list) else [value])
        ]
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = body.decode("latin-1")
    return parse_qsl(text.strip(), keep_blank_values=True, errors="replace")


def _sectigo(bodies: t.Mapping[str, bytes]) -> bool:
    """Whether any of the certificates that are reported may count; which of several does is not judged here."""
    pairs = [(key.lower(), " ".join(value.lower().split())) for key, value in _sectigo_pairs(bodies["status"])]
    words = [value for key, value in pairs if re.fullmatch(r"[0-9]+_([0-9]+_)?(certificate|order)status", key)]
    serial = any(value and re.fullmatch(r"[0-9]+_[0-9]+_serialnumber", key) for key, value in pairs)
    return any(word in ("valid", "issued", "issued but not yet collected") for word in words) or serial


#: By provider: whether the bodies allow an order to be issued, with a certificate that can be collected now.
MAY_BE_ISSUED: dict[str, t.Callable[[t.Mapping[str, bytes]], bool]] = {
    "cpanel": _cpanel,
    "digicert": _digicert,
    "gogetssl": _gogetssl,
    "sectigo": _sectigo,
}

_KNOWN = {
    "digicert": re.compile(
        "issued|pending|processing|reissue_pending|waiting_pickup|needs_approval|needs_csr|approved|reissue|rejected|"
        "denied|cancell?ed|revoked|expired"
    ),
    "gogetssl": re.compile(
        "cancell?ed|rejected|expired|revoked|failed|filed|new_order|incomplete|unpaid|payment needed|active|processing|"
        "pending|reissue"
    ),
}


def is_unknown_word(provider: str, bodies: t.Mapping[str, bytes]) -> bool:
    """Whether the status is a word that no sheet has; for the providers that have one word for all."""
    if provider not in _KNOWN:
        return False
    if provider == "digicert":
        word = _word(_field(_data(bodies["info"]), "status")) or _word(
            _field(_data(bodies["validation"]), "order_status")
        )
    else:
        word = _word(_field(_data(bodies["status"]), "status"))
    return _KNOWN[provider].fullmatch(word) is None
