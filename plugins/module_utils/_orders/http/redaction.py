# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Taking secrets and personal data out of texts before anybody can see them.

Private to this collection. A secret is known literally, escaped for a URL, for JSON and for HTML, and in base64, with
whatever stands before it there (as in ``user:secret``). Everything here takes linear time, whatever the text.
"""

from __future__ import annotations

import base64
import functools
import html
import json
import re
import typing as t
from urllib.parse import quote, quote_plus

from ..._common.text import ELLIPSIS

HIDDEN = "********"
#: Shorter values are not looked for: they would take harmless characters out of every sentence.
_MIN_SECRET = 3
#: The same for what base64 makes of a secret in the middle of something.
_MIN_BASE64 = 6
#: So much of a secret is taken out where a text was cut off in the middle of it, in characters.
_MIN_CUT = 4


class Redactor:
    """Knows the secrets of one account, those that are learned on the way included."""

    def __init__(self, secrets: t.Iterable[str] = ()) -> None:
        self._forms: list[str] = []
        for secret in secrets:
            self.learn(secret)

    def learn(self, secret: str) -> None:
        """From now on take this value out of all texts, also as it looks in a URL, in JSON, in HTML or in base64."""
        if len(secret) >= _MIN_SECRET:
            # Longer ones first: a secret may be part of another.
            self._forms = sorted({*self._forms, *_forms(secret)}, key=lambda form: (-len(form), form))

    @property
    def secrets(self) -> frozenset[str]:
        """All values known to be secret, in every form."""
        return frozenset(self._forms)

    def scrub(self, text: str) -> str:
        """The text without any secret, and without the beginning of one where the text was cut off."""
        for form in self._forms:
            text = text.replace(form, HIDDEN)
        return self._scrub_cuts(text) if ELLIPSIS in text else text

    def scrub_part(self, text: str) -> str:
        """The beginning of a text, which may end in the middle of a secret, without any secret."""
        return self.scrub(text + ELLIPSIS)[: -len(ELLIPSIS)]

    def scrub_data(self, value: t.Any, names: bool = True) -> t.Any:
        """Plain data (as JSON knows it) without any secret in its texts and, with ``names``, in field names."""
        if isinstance(value, str):
            return self.scrub(value)
        if isinstance(value, dict):
            return {
                # The names below raw are the provider's as well.
                self.scrub_data(key) if names else key: self.scrub_data(item, names or key == "raw")
                for key, item in value.items()
            }
        if isinstance(value, (list, tuple)):
            return [self.scrub_data(item, names) for item in value]
        return value

    def _scrub_cuts(self, text: str) -> str:
        heads = {form[:_MIN_CUT] for form in self._forms if len(form) > _MIN_CUT}
        heads = {head for head in heads if head in text}
        if not heads:
            return text
        begun = [form for form in self._forms if form[:_MIN_CUT] in heads]
        head = re.compile("|".join(map(re.escape, sorted(heads))))
        shown, position, cut = [], 0, -1
        found = head.search(text)
        while found is not None:
            start = found.start()
            cut = text.find(ELLIPSIS, start) if cut < start else cut
            if cut < 0:
                break
            # As text[start:cut], but never much longer than a secret.
            part = text[start : min(cut, start + len(begun[0]))]
            if any(len(part) < len(form) and form.startswith(part) for form in begun):
                shown += [text[position:start], HIDDEN]
                position = cut
            found = head.search(text, max(start + 1, position))
        return "".join([*shown, text[position:]])


def shortened(text: str, max_length: int) -> str:
    """The text on one line, cut off after so many characters, so that a Redactor still knows what the cut leaves."""
    line = " ".join(text.split())
    return line if len(line) <= max_length else line[:max_length] + ELLIPSIS


def _forms(secret: str) -> set[str]:
    """A secret as it may stand in a text."""
    encoded = secret.encode("utf-8", "replace")
    in_url = [quote(encoded, safe=""), quote(encoded), quote_plus(encoded), quote(encoded, safe="!'()*~")]
    in_json = [json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]]
    in_html = [html.escape(secret), html.escape(secret, quote=False)]
    # Python's own way to quote, in messages of ours.
    quoted = [repr(secret)[1:-1], secret.replace("\\", "\\\\").replace("'", "\\'")]
    # Status words are compared in lower case, and serial numbers in upper case. Where a body is not UTF-8 throughout it
    # is read as Latin-1. Where a text is put on one line, so is what is secret in it.
    literal = [secret, secret.lower(), secret.upper(), encoded.decode("latin-1"), " ".join(secret.split())]
    forms = {*literal, *in_url, *in_json, *in_html, *quoted, *_in_base64(encoded)}
    forms.update(re.sub("%..", lambda found: found.group().lower(), text) for text in in_url)
    forms.update(re.sub(r"\\u....", lambda found: "\\u" + found.group()[2:].upper(), text) for text in in_json)
    forms.update(text.replace("/", "\\/") for text in in_json)
    forms.update(in_html[0].replace("&#x27;", other) for other in ("&#39;", "&#039;", "&apos;"))
    return {form for form in forms if len(form) >= _MIN_SECRET}


def _in_base64(content: bytes) -> set[str]:
    """What base64 makes of it by itself, and, without the characters at its ends, wherever it stands in more."""
    found = {base64.b64encode(content).decode("ascii")}
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + content).decode("ascii")
        found.add(coded[(before * 8 + 5) // 6 : (before + len(content)) * 8 // 6])
    found = {form for form in found if len(form) >= _MIN_BASE64}
    return found | {form.replace("+", "-").replace("/", "_") for form in found}


# -- personal data ------------------------------------------------------------

#: Names of fields that hold personal data at any provider, with whatever stands before and after.
_PERSONAL = re.compile(
    r"e_?mail|phone|fax|(?:first|last|sur|fore|given|family)_?name|street_?address|postal_?code|job_?title"
    r"|(?:^|_)contacts?$",
    re.IGNORECASE,
)
#: No provider has field names of more characters; what hides behind one is not shown.
_MAX_NAME = 200
#: How what is left out of texts is named.
_IN_TEXTS = "personal data in texts"
_MAIL_ADDRESS = re.compile(r"(?<![\w.+-])[\w.+-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+")
#: The name of a field whose value is nested or escaped JSON, or the name of an XML element: where what follows ends
#: is unknown in half a body.
_OPENS = re.compile(
    r'"([A-Za-z0-9_-]+)(?:"\s*:\s*(?=[\[{])|\\+"\s*:\s*)|<(?:\w{1,40}:)?([A-Za-z0-9_-]+)(?![\w-])(?:[^<>]*>)?'
)
_JSON_FIELD = re.compile(r'("[A-Za-z0-9_-]+")(\s*:\s*)(?:"(?:[^"\\]|\\.)*"?|[^",}\]]*)', re.DOTALL)
_FORM_FIELD = re.compile(r"""(?<![A-Za-z0-9_-])([A-Za-z0-9_-]+)(=)("[^"]*"?|'[^']*'?|[^&\s]*)""")


def drop_personal(value: t.Any, personal: t.Pattern[str] | None = None) -> tuple[t.Any, list[str]]:
    """Plain data without the fields that are personal by their names, and the sorted names of what was left out.

    Arguments:
        personal: further names, as a pattern for the whole name.
    """
    dropped: set[str] = set()

    def clean(item: t.Any) -> t.Any:
        if isinstance(item, dict):
            dropped.update(str(key)[:_MAX_NAME] for key in item if _is_personal(str(key), personal))
            return {key: clean(inner) for key, inner in item.items() if not _is_personal(str(key), personal)}
        if isinstance(item, (list, tuple)):
            return [clean(inner) for inner in item]
        if not isinstance(item, str):
            return item
        # JSON inside of JSON, or an address in a field of any name.
        hidden = drop_personal_text(item, personal) if '":' in item else _MAIL_ADDRESS.sub(HIDDEN, item)
        if hidden != item:
            dropped.add(_IN_TEXTS)
        return hidden

    return clean(value), sorted(dropped)


@functools.lru_cache(maxsize=4096)
def _is_personal(name: str, personal: t.Pattern[str] | None) -> bool:
    if len(name) > _MAX_NAME:
        return True
    return _PERSONAL.search(name) is not None or (personal is not None and personal.fullmatch(name) is not None)


def drop_personal_text(text: str, personal: t.Pattern[str] | None = None) -> str:
    """A body that could not be parsed, without mail addresses and the values of fields that are personal.

    Understands JSON, also inside of JSON, form encoding and XML.
    """

    def hide(match: t.Match[str]) -> str:
        if not _is_personal(match.group(1).strip('"'), personal):
            return match.group()
        return match.group(1) + match.group(2) + HIDDEN

    for match in _OPENS.finditer(text):
        if _is_personal(match.group(1) or match.group(2), personal):
            text = text[: match.end()] + HIDDEN
            break
    return _MAIL_ADDRESS.sub(HIDDEN, _FORM_FIELD.sub(hide, _JSON_FIELD.sub(hide, text)))
