# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strategies that spoil a body as providers and what lies between might: they start from one that is right."""

from __future__ import annotations

import copy
import json
import typing as t
from urllib.parse import parse_qsl, urlencode

from hypothesis import strategies as st

#: What stands where something else should. Nesting and size are beyond what any body of a provider has.
ODD_VALUES: list[t.Any] = [
    *(None, True, False, 0, 1, 2, -1, 10**30, -(10**25), 1e308, 0.5, float("nan"), float("inf")),
    *("", " ", "\u00a0", "null", "0", "1", "2", "-1", "true", "1e5", "\u0663", "\u00b2", "x" * 5000, "9" * 400),
    *("0000-00-00", "9999-99-99", "2026-13-45T99:99:99Z", "\ud800", "\udc00x", "\x00", "\u202e", "<b>"),
    *("{{ 1 + 1 }}", "%s%n{0}", [], {}, [[]], [None], {"": None}, {"a": {}}, "-----BEGIN CERTIFICATE-----"),
    *("issued", "Issued", "ISSUED ", "active", "Valid", "valid", "completed", "validated", "approved", "revoked"),
    *("Replaced", "something_new", "issued_maybe", "not issued", "CA:revoked", "-20", "-16"),
]

json_leaves = st.one_of(st.sampled_from(ODD_VALUES), st.text(max_size=20), st.integers(), st.floats())
json_values = st.recursive(
    json_leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=6,
)


def _places(value: t.Any) -> list[tuple[t.Any, t.Any]]:
    """Every place in a tree, as the container and the key or index in it."""
    found: list[tuple[t.Any, t.Any]] = []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found.append((value, key))
        found.extend(_places(inner))
    return found


@st.composite
def spoiled_json(draw: st.DrawFn, body: t.Any, max_changes: int = 4) -> t.Any:
    """The data with up to ``max_changes`` things wrong with it."""
    tree = [copy.deepcopy(body)]
    for _count in range(draw(st.integers(0, max_changes))):
        places = _places(tree)
        container, key = places[draw(st.integers(0, len(places) - 1))]
        value = container[key]
        match draw(st.sampled_from(["replace", "odd", "drop", "rename", "repeat", "wrap", "swap", "text", "deep"])):
            case "replace":
                container[key] = copy.deepcopy(draw(json_values))
            case "odd":
                container[key] = copy.deepcopy(draw(st.sampled_from(ODD_VALUES)))
            case "drop" if container is not tree:
                del container[key]
            case "rename" if isinstance(container, dict):
                name = draw(st.sampled_from([key.upper(), key.lower(), key + "s", "x" + key, "", key + " "]))
                container[name] = container.pop(key)
            case "repeat" if isinstance(container, list) and container is not tree:
                container.extend([copy.deepcopy(value)] * draw(st.integers(1, 3)))
            case "wrap":
                container[key] = draw(st.sampled_from([[value], {"value": value}, [value, value], [[value]]]))
            case "swap":
                other, place = places[draw(st.integers(0, len(places) - 1))]
                container[key] = copy.deepcopy(other[place])
            case "text":
                container[key] = json.dumps(value) if not isinstance(value, str) else value + "\x00"
            case "deep":
                for _level in range(draw(st.sampled_from([5, 60]))):
                    value = [value]
                container[key] = value
            case _:
                continue
    return tree[0]


@st.composite
def spoiled_pairs(draw: st.DrawFn, pairs: list[tuple[str, str]], max_changes: int = 4) -> list[tuple[str, str]]:
    """A form's pairs with up to ``max_changes`` things wrong with them."""
    found = list(pairs)
    for _count in range(draw(st.integers(0, max_changes))):
        if not found:
            break
        at = draw(st.integers(0, len(found) - 1))
        key, value = found[at]
        match draw(st.sampled_from(["odd", "text", "drop", "rename", "repeat", "move", "number"])):
            case "odd":
                found[at] = (key, str(draw(st.sampled_from(ODD_VALUES))))
            case "text":
                found[at] = (key, draw(st.text(max_size=30)))
            case "drop":
                del found[at]
            case "rename":
                found[at] = (draw(st.sampled_from([key.upper(), key.lower(), "x" + key, "", "1_" + key])), value)
            case "repeat":
                found.insert(draw(st.integers(0, len(found))), (key, draw(st.sampled_from([value, "", "Valid", "0"]))))
            case "move":
                found.insert(draw(st.integers(0, len(found) - 1)), found.pop(at))
            case "number":
                found[at] = (str(draw(st.integers(0, 10**8))) + "_" + key.partition("_")[2], value)
    return found


def _encode(text: str, how: str) -> bytes:
    return text.encode(how, "surrogatepass" if how.startswith("utf") else "replace")


@st.composite
def spoiled_bytes(draw: st.DrawFn, content: bytes) -> bytes:
    """The bytes cut off, flipped, in another encoding, or with something around them."""
    match draw(st.sampled_from(["cut", "flip", "encoding", "around", "twice", "noise"])):
        case "cut":
            return content[: draw(st.integers(0, len(content)))]
        case "flip":
            if not content:
                return b"\xff"
            at = draw(st.integers(0, len(content) - 1))
            return content[:at] + bytes([draw(st.integers(0, 255))]) + content[at + 1 :]
        case "encoding":
            return _encode(content.decode("utf-8", "replace"), draw(st.sampled_from(["utf-16", "utf-32", "latin-1"])))
        case "around":
            before = draw(st.sampled_from([b"\xef\xbb\xbf", b"\n\n", b")]}',\n", b"\x00", b"<!-- -->"]))
            return before + content + draw(st.sampled_from([b"", b"\n", b"\x00", b"}", b"\xff"]))
        case "twice":
            return content + content
        case _:
            return draw(st.binary(max_size=60))


@st.composite
def bodies(draw: st.DrawFn, originals: t.Sequence[bytes]) -> bytes:
    """One of the bodies, as it is or spoiled, as data or as bytes."""
    content = draw(st.sampled_from(originals))
    text = content.decode("utf-8")
    if text.lstrip()[:1] in ("{", "["):
        content = json.dumps(draw(spoiled_json(json.loads(text)))).encode()
    elif "=" in text and "-----" not in text and "<" not in text:
        pairs = draw(spoiled_pairs(parse_qsl(text.strip(), keep_blank_values=True)))
        content = urlencode(pairs, errors="surrogatepass").encode()
    return draw(spoiled_bytes(content)) if draw(st.integers(0, 4)) == 0 else content
