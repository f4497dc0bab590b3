# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Taking secrets out of texts before anybody can see them.

Private to this collection.
"""

from __future__ import annotations

import base64
import functools
import html
import json
import re
import typing as t
from html.entities import codepoint2name
from urllib.parse import quote, quote_plus, unquote

#: Shorter values are not looked for: they would take harmless characters out of every sentence.
_SHORTEST = 3
#: From so many characters on a secret is also found in disguise, and from so many on with blanks in it.
_SHORTEST_DISGUISED = 6
_SHORTEST_SPREAD = 12
#: Somebody may have cut it off before us: half of a secret is taken out as well, when it has so many characters.
_SHORTEST_HALF = 10
HIDDEN = "********"
#: Ends a text that was cut off, see shortened.
_CUT = "…"
#: So it may end where one escaped character was cut in two.
_CUT_ESCAPE = re.compile(r"(?:[\\%&u][\\%&#;0-9a-z]{0,12})?" + _CUT, re.IGNORECASE)
#: What escapes are made of, which may be escaped again; escaping backslashes makes more and more of them.
_BACKSLASH, _PERCENT, _AMPERSAND = r"(?:\\|%(?:25)*5c)", "%(?:25)*", "(?:&(?:amp;)*|%(?:25)*26)"
_HASH, _SEMICOLON = "(?:#|%(?:25)*23)", "(?:;|%(?:25)*3b)"
_ENTITY = re.compile("&(?:#[0-9]{1,9}|#[xX][0-9a-fA-F]{1,9}|[a-zA-Z]{2,8});")
_CODE = re.compile(r"\\u(00[0-9a-fA-F]{2})")
_BLANKS = r"[\s\0]{0,2}"
_BACKSLASHES = "(?:" + _BACKSLASH + _BLANKS + "){0,16}"


class Redactor:
    """Knows the secrets of one account, those that are learnt on the way included."""

    def __init__(self, secrets: t.Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        self._disguised: dict[str, _Disguised] = {}
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
        # Status words are compared in lower case, names of hosts are kept so, and serial numbers in upper case.
        self._secrets.update([secret.lower(), secret.upper(), html.escape(secret)])
        self._secrets.add(base64.b64encode(encoded).decode("ascii"))
        for text in [secret, *_in_base64(encoded)]:
            if len(_plain(text)) >= _SHORTEST_DISGUISED and text not in self._disguised:
                self._disguised[text] = _Disguised(text)
        self._disguised = {text: self._disguised[text] for text in sorted(self._disguised, key=len, reverse=True)}

    @property
    def secrets(self) -> frozenset[str]:
        """All values known to be secret, in every form."""
        return frozenset(self._secrets)

    def scrub(self, text: str) -> str:
        """The text without any secret."""
        # The longest first: a secret may be part of another.
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
            if _CUT in text:
                text = _scrub_cut(text, secret)
        return self._scrub_disguised(text)

    def scrub_part(self, text: str) -> str:
        """The beginning of a text, which may end in the middle of a secret, without any secret."""
        return self.scrub(text + _CUT)[: -len(_CUT)]

    def _scrub_disguised(self, text: str) -> str:
        # Most texts are told at once to hold nothing of the kind: to look for it would take long in large bodies.
        undisguised = _undisguised(text)
        for disguised in self._disguised.values():
            if disguised.usual in undisguised:
                text = disguised.hide(text)
        return text

    def scrub_data(self, value: t.Any, names: bool = True) -> t.Any:
        """Plain data (as JSON knows it) without any secret in its texts, nor in the names of its fields unless told."""
        if isinstance(value, str):
            return self.scrub(value)
        if isinstance(value, dict):
            return {self.scrub_data(key) if names else key: self.scrub_data(item, names) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.scrub_data(item, names) for item in value]
        return value


def shortened(text: str, most: int) -> str:
    """The text on one line, cut off after so many characters; what the cut leaves of a secret can still be told."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[:most] + _CUT


def _in_base64(content: bytes) -> list[str]:
    """What base64 makes of it, wherever it stands in something larger that is encoded: without its ends."""
    found = []
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + content).decode("ascii")
        found.append(coded[(before * 8 + 5) // 6 : (before + len(content)) * 8 // 6])
    return [form for coded in found for form in (coded, coded.replace("+", "-").replace("/", "_"))]


class _Disguised:
    """Finds a secret whose characters are escaped in any way, several times over, in other case, or apart.

    Providers and what lies before them put what they were sent into URLs in HTML, into JSON in JSON and the like.
    """

    def __init__(self, secret: str) -> None:
        self._plain = plain = _plain(secret)
        self._between = _BLANKS if len(secret) >= _SHORTEST_SPREAD else ""
        self._most = max(_SHORTEST_HALF, (len(plain) + 1) // 2)
        # Neither two runs of backslashes in a row, nor what may look like anything.
        beginning = re.split(r"[\\\s\x80-\U0010ffff]", plain[: _SHORTEST + 1])[0]
        self._begun = max(1, len(beginning))
        #: What is in an undisguised text that may hold the secret.
        self.usual = beginning.lower()

    # Made when a text may hold the secret, since hardly any does.

    @functools.cached_property
    def _forms(self) -> list[str]:
        between = self._between + _BACKSLASHES
        return [_escaped(self._plain[0])] + [between + _escaped(character) for character in self._plain[1:]]

    @functools.cached_property
    def _parts(self) -> list[t.Pattern[str]]:
        return [_pattern(form) for form in self._forms]

    @functools.cached_property
    def _beginning(self) -> t.Pattern[str]:
        return _pattern("".join(self._forms[: self._begun]))

    def hide(self, text: str) -> str:
        """The text without the secret, half of it, and the beginning of it where the text was cut off."""
        shown, start = [], 0
        found = self._beginning.search(text)
        while found is not None:
            end = self._end(text, found.start())
            if end is not None:
                shown += [text[start : found.start()], HIDDEN]
                start = end
            found = self._beginning.search(text, max(start, found.start() + 1))
        return "".join([*shown, text[start:]])

    def _end(self, text: str, position: int) -> int | None:
        for count, part in enumerate(self._parts):
            matched = part.match(text, position)
            if matched is None:
                cut = _CUT_ESCAPE.match(text, position)
                return cut.end() - len(_CUT) if cut else position if count >= self._most else None
            position = matched.end()
        return position


def _plain(secret: str) -> str:
    """The secret with one backslash or blank for however many there are, and none at its ends: escaping makes more."""
    return re.sub(r"[\s\0]+", " ", re.sub(r"\\+", r"\\", secret)).strip(" \\")


def _undisguised(text: str) -> str:
    """The text in lower case, without escapes and blanks."""
    for _round in range(4):
        before = text
        text = unquote(text, errors="replace") if "%" in text else text
        text = _ENTITY.sub(lambda found: html.unescape(found.group()), text) if "&" in text else text
        text = _CODE.sub(lambda found: chr(int(found.group(1), 16)), text) if "\\" in text else text
        if text == before:
            break
    return "".join(text.lower().replace("\\", "").replace("\0", "").split())


@functools.lru_cache(maxsize=None)
def _pattern(text: str) -> t.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


@functools.lru_cache(maxsize=None)
def _escaped(character: str) -> str:
    """A pattern for one character, however it is escaped."""
    if character == "\\":
        numeric = f"{_AMPERSAND}{_HASH}(?:0*92|x0*5c){_SEMICOLON}"
        return f"(?:(?:{_BACKSLASH}|u005c|{numeric}){_BLANKS}){{1,16}}"
    found: list[str] = []
    for one in dict.fromkeys([character, character.lower()[:1], character.upper()[:1]]):
        utf8, units, code = one.encode("utf-8", "replace"), one.encode("utf-16-be", "surrogatepass"), ord(one)
        names = [codepoint2name.get(code), "apos" if one == "'" else None]
        names += [f"{_HASH}(?:0*{code}|x0*{code:x})"]
        found += [
            # The longest first: what makes up an escape may be escaped itself.
            "{0}(?:{1}){2}".format(_AMPERSAND, "|".join(filter(None, names)), _SEMICOLON),
            "".join(f"{_PERCENT}{byte:02x}" for byte in utf8),
            _BACKSLASHES.join("u" + units[at : at + 2].hex() for at in range(0, len(units), 2)),
        ]
        if code > 127:
            # As text of another encoding, or in bytes.
            found += [re.escape(utf8.decode(other, "replace")) for other in ("latin-1", "cp1252")]
            found += [f"x{code:02x}", _BACKSLASHES.join(f"x{byte:02x}" for byte in utf8)]
    # The character itself comes last, since an escape may begin with it.
    found += [r"\s|\+|" if character.isspace() else re.escape(character)]
    if ord(character) > 127:
        found += [r"\?", "\ufffd"]
    return "(?:{0})".format("|".join(dict.fromkeys(found)))


def _scrub_cut(text: str, secret: str) -> str:
    """The text without the beginning of a secret where it was cut off."""
    for length in range(len(secret) - 1, _SHORTEST, -1):
        text = text.replace(secret[:length] + _CUT, HIDDEN + _CUT)
    return text


#: Names of fields that hold personal data at any provider, with whatever stands before and after.
_PERSONAL = re.compile(
    r"\w*(?:e_?mail|phone|fax|(?:first|last|sur|fore|given|family)_?name|street_?address|postal_?code|job_?title)\w*"
    r"|(?:\w+_)?contacts?",
    re.IGNORECASE,
)
#: How what is left out of texts is named.
_IN_TEXTS = "personal data in texts"
_MAIL_ADDRESS = re.compile(r"(?<![\w.+-])[\w.+-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+")


def drop_personal(value: t.Any, personal: t.Pattern[str] | None = None) -> tuple[t.Any, list[str]]:
    """Plain data without the fields that are personal by their names, and the sorted names of what was left out.

    Arguments:
        personal: further names, as a pattern for the whole name.
    """
    dropped: set[str] = set()

    def clean(item: t.Any) -> t.Any:
        if isinstance(item, dict):
            dropped.update(str(key) for key in item if _is_personal(str(key), personal))
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


def _is_personal(name: str, personal: t.Pattern[str] | None) -> bool:
    return any(pattern is not None and pattern.fullmatch(name) for pattern in (_PERSONAL, personal))


def drop_personal_text(text: str, personal: t.Pattern[str] | None = None) -> str:
    """A body that could not be parsed, without mail addresses and the values of fields that are personal.

    Understands JSON, also inside of JSON, form encoding and XML.
    """

    def hide(match: t.Match[str]) -> str:
        if not _is_personal(match.group(1).strip('"'), personal):
            return match.group()
        return match.group(1) + match.group(2) + HIDDEN

    # Where a personal field holds something nested, its end cannot be told in half a body: the rest goes with it.
    for match in re.finditer(r'\\*"([A-Za-z0-9_-]+)(?:"\s*:\s*(?=[\[{])|\\+"\s*:\s*)|<(?:\w+:)?([\w-]+)[^<>]*>', text):
        if _is_personal(match.group(1) or match.group(2), personal):
            text = text[: match.end()] + HIDDEN
            break
    text = re.sub(r'("[A-Za-z0-9_-]+")(\s*:\s*)(?:"(?:[^"\\]|\\.)*"?|[^",}\]]*)', hide, text)
    values = r"""("[^"]*"?|'[^']*'?|[^&\s]*)"""
    text = re.sub(r"(?<![A-Za-z0-9_-])([A-Za-z0-9_-]+)(=)" + values, hide, text)
    return _MAIL_ADDRESS.sub(HIDDEN, text)
