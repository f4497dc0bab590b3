# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that cannot be asked for, and names that look as if they could not."""

from __future__ import annotations

import dns.name
import pytest

from ansible_collections.certops.issuance.plugins.module_utils._dcv import dns as dcv_dns
from ansible_collections.certops.issuance.plugins.module_utils._dcv.delegation import Walker
from ansible_collections.certops.issuance.plugins.module_utils._dcv.network import AddressMap, Deadline
from ansible_collections.certops.issuance.plugins.module_utils._dcv.replies import Status

UNREADABLE = [
    "a..example.org",
    ".example.org",
    f"{'a' * 70}.org",
    "a." * 130 + "org",
    "a\\",
    "a\\300.org",
    f"{'ü' * 70}",
]


@pytest.mark.parametrize("name", UNREADABLE, ids=range(len(UNREADABLE)))
def test_name_that_is_none_is_not_sent(name: str) -> None:
    sent: list[tuple[str, str, str]] = []
    client = dcv_dns.Client(AddressMap({}), Deadline(5.0), record=lambda *question: sent.append(question))
    assert client.query("192.0.2.1", name, "A").status == Status.MALFORMED
    assert not dcv_dns.is_readable(name)
    assert sent == []


def test_unreadable_name_does_not_count_as_silence_of_the_root_servers() -> None:
    client = dcv_dns.Client(AddressMap({}), Deadline(5.0))
    answer = Walker(client).follow("a\\", "A")
    assert (answer.reply, answer.zone.name) == (None, "")


@pytest.mark.parametrize("labels", [(b"a.", b""), (b"a.b", b"org", b""), (b"\\", b""), (b"\x00\xff", b""), (b"",)])
def test_name_from_the_wire_can_be_asked_for_again(labels: tuple[bytes, ...]) -> None:
    assert dcv_dns._read(dcv_dns._plain(dns.name.Name(labels))) == dns.name.Name(labels)
