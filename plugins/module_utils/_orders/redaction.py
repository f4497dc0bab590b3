# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Taking secrets out of texts before anybody can see them.

Private to this collection.
"""

from __future__ import annotations

import base64
import html
import json
import re
import typing as t
from urllib.parse import quote, quote_plus

#: Shorter values are not looked for: they would take harmless characters out of every sentence.
_SHORTEST = 3
HIDDEN = "********"
#: Ends a text that was cut off, see shortened.
_CUT = "…"


class Redactor:
    """Knows the secrets of one account, those that are learnt on the way included."""

    def __init__(self, secrets: t.Iterable[str] = ()) -> None:
        self._secrets: t.Set[str] = set()
        for secret in secrets:
            self.learn(secret)

    def learn(self, secret: str) -> None:
        """From now on take this value out, also as it looks in a URL, in JSON, HTML or base64, or in quotes."""
        if len(secret) < _SHORTEST:
            return
        encoded = secret.encode("utf-8", "replace")
        in_url = [quote(encoded, safe=""), quote(encoded), quote_plus(encoded)]
        # A body that is not UTF-8 throughout is shown as Latin-1, whatever it was written in.
        misread = [secret.encode(how, "replace").decode("latin-1") for how in ("utf-8", "utf-16-le", "utf-16-be")]
        in_json = [json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]]
        self._secrets.update([secret, repr(secret)[1:-1], secret.replace("\\", "\\\\").replace("'", "\\'")])
        self._secrets.update(in_url + [re.sub("%..", lambda found: found.group().lower(), url) for url in in_url])
        self._secrets.update(text for text in (one.strip("\0") for one in misread) if len(text) >= _SHORTEST)
        self._secrets.update(in_json + [text.replace("/", "\\/") for text in in_json])
        # Status words are compared in lower case, and names of hosts are kept so.
        self._secrets.update([secret.lower(), html.escape(secret), base64.b64encode(encoded).decode("ascii")])

    @property
    def secrets(self) -> t.FrozenSet[str]:
        """All values known to be secret, in every form."""
        return frozenset(self._secrets)

    def scrub(self, text: str) -> str:
        """The text without any secret."""
        # The longest first: a secret may be part of another.
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
            if _CUT in text:
                text = _scrub_cut(text, secret)
        return text

    def scrub_data(self, value: t.Any, names: bool = True) -> t.Any:
        """Plain data (as JSON knows it) without any secret in its texts, nor in the names of its fields unless told."""
        if isinstance(value, str):
            return self.scrub(value)
        if isinstance(value, dict):
            return {
                self.scrub_data(key) if names else key: self.scrub_data(item, names) for key, item in value.items()
            }
        if isinstance(value, (list, tuple)):
            return [self.scrub_data(item, names) for item in value]
        return value


def shortened(text: str, most: int) -> str:
    """The text on one line, cut off after so many characters; what the cut leaves of a secret can still be told."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[:most] + _CUT


def _scrub_cut(text: str, secret: str) -> str:
    """The text without the beginning of a secret where it was cut off."""
    for length in range(len(secret) - 1, _SHORTEST, -1):
        text = text.replace(secret[:length] + _CUT, HIDDEN + _CUT)
    return text


def drop_personal(value: t.Any, personal: t.Pattern[str]) -> t.Tuple[t.Any, t.List[str]]:
    """Plain data without the fields whose names match, and the sorted names of what was left out."""
    dropped: t.Set[str] = set()

    def clean(item: t.Any) -> t.Any:
        if isinstance(item, dict):
            dropped.update(str(key) for key in item if personal.fullmatch(str(key)))
            return {key: clean(inner) for key, inner in item.items() if not personal.fullmatch(str(key))}
        if isinstance(item, (list, tuple)):
            return [clean(inner) for inner in item]
        return item

    return clean(value), sorted(dropped)


def drop_personal_text(text: str, personal: t.Pattern[str]) -> str:
    """A body that could not be parsed, without the values of fields whose names match (JSON and form encoding)."""

    def hide(match: t.Match[str]) -> str:
        if not personal.fullmatch(match.group(1).strip('"')):
            return match.group()
        return match.group(1) + match.group(2) + HIDDEN

    # Where a personal field holds an object or a list, its end cannot be told in half a body: the rest goes with it.
    for match in re.finditer(r'"([A-Za-z0-9_-]+)"\s*:\s*(?=[\[{])', text):
        if personal.fullmatch(match.group(1)):
            text = text[: match.end()] + HIDDEN
            break
    text = re.sub(r'("[A-Za-z0-9_-]+")(\s*:\s*)(?:"(?:[^"\\]|\\.)*"?|[^",}\]]*)', hide, text)
    return re.sub(r"(?<![A-Za-z0-9_-])([A-Za-z0-9_-]+)(=)([^&\s]*)", hide, text)
