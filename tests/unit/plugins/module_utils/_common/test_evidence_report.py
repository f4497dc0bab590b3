# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to publish over many orders: spellings, merging, and what is refused."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._common.evidence import (
    FileEvidence,
    NameEvidence,
    OrderReference,
    RecordEvidence,
    Source,
    quote_txt,
    zone_from,
)
from ansible_collections.certops.issuance.plugins.module_utils._common.evidence_report import checked, report

FIRST = OrderReference("digicert", "1")
SECOND = OrderReference("gogetssl", "2")
FOLDER = "/.well-known/pki-validation/"


def by_record(name: str, kind: str, fqdn: str, value: str, order: OrderReference = FIRST) -> NameEvidence:
    """Evidence by one record."""
    return NameEvidence(name, order, "dns", source=Source.PROVIDER, record=RecordEvidence(kind, fqdn, value))


def by_file(name: str, url: str, content: str = "token", order: OrderReference = FIRST) -> NameEvidence:
    """Evidence by one file."""
    return NameEvidence(name, order, "http", source=Source.PROVIDER, file=FileEvidence(url, content))


def test_values_of_all_orders_stand_in_one_set() -> None:
    result = report(
        [
            by_record("example.org", "TXT", "_dnsauth.example.org.", "one"),
            by_record("*.example.org", "TXT", "_DNSAUTH.example.org", "one"),
            by_record("example.org", "TXT", "_dnsauth.example.org", "two", SECOND),
        ],
        zone_from(["org", "Example.org."]),
    )
    assert result["record_sets"] == [
        {
            "type": "TXT",
            "fqdn": "_dnsauth.example.org",
            "zone": "example.org",
            "label": "_dnsauth",
            "ttl": 300,
            "values": ["one", "two"],
            "values_quoted": ['"one"', '"two"'],
            "values_dot": [],
            "shared": True,
            "names": ["example.org", "*.example.org"],
            "orders": [{"provider": "digicert", "order_id": "1"}, {"provider": "gogetssl", "order_id": "2"}],
        }
    ]
    assert [entry["record_set"] for entry in result["names"]] == result["record_sets"] * 3
    assert result["unresolved"] == result["files"] == result["emails"] == []


def test_cname_has_its_dotted_form_and_is_not_shared() -> None:
    (found,) = report([by_record("a.example.org", "CNAME", "_0a.a.example.org", "X.Sectigo.com.")], zone_from([]))[
        "record_sets"
    ]
    assert (found["values"], found["values_dot"], found["values_quoted"]) == (["x.sectigo.com"], ["x.sectigo.com."], [])
    assert (found["zone"], found["label"], found["shared"]) == (None, None, False)


def test_zone_itself_is_written_as_at() -> None:
    (found,) = report([by_record("example.org", "TXT", "example.org", "v")], zone_from(["example.org"]))["record_sets"]
    assert (found["label"], found["shared"]) == ("@", True)


def test_names_are_reported_in_lower_case_whatever_the_provider_wrote() -> None:
    result = report([by_record("WWW.Example.org.", "TXT", "_dnsauth.Example.org", "v")], zone_from([]))
    assert [one["name"] for one in result["names"]] == ["www.example.org"]
    assert result["record_sets"][0]["names"] == ["www.example.org"]
    (refused,) = report([by_file("WWW.Example.org", "")], zone_from([]))["unresolved"]
    assert refused["name"] == "www.example.org"


def test_longest_zone_counts() -> None:
    find = zone_from(["example.org", "sub.example.org."])
    assert find("_dnsauth.www.sub.example.org") == "sub.example.org"
    assert find("_dnsauth.notexample.org") is None


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        ("plain", '"plain"'),
        ('with "quotes" and \\', '"with \\"quotes\\" and \\\\"'),
        ("x" * 255, '"' + "x" * 255 + '"'),
        ("x" * 300, '"' + "x" * 255 + '" "' + "x" * 45 + '"'),
    ],
)
def test_txt_as_zone_files_write_it(value: str, quoted: str) -> None:
    assert quote_txt(value) == quoted


def test_one_file_serves_two_orders() -> None:
    url = f"http://www.example.org{FOLDER}fileauth.txt"
    result = report([by_file("www.example.org", url), by_file("www.example.org", url, order=SECOND)], zone_from([]))
    assert result["files"] == [
        {
            "url": url,
            "host": "www.example.org",
            "path": f"{FOLDER}fileauth.txt",
            "content": "token",
            "names": ["www.example.org"],
            "orders": [{"provider": "digicert", "order_id": "1"}, {"provider": "gogetssl", "order_id": "2"}],
        }
    ]


def test_mail_is_listed_by_address() -> None:
    evidence = NameEvidence("example.org", FIRST, "email", emails=("admin@example.org",))
    assert report([evidence], zone_from([]))["emails"] == [
        {
            "address": "admin@example.org",
            "names": ["example.org"],
            "orders": [{"provider": "digicert", "order_id": "1"}],
        }
    ]


def problem_of(evidence: NameEvidence) -> str | None:
    """The problem of one evidence in the report, after a look that nothing of it is published."""
    result = report([evidence], zone_from([]))
    (entry,) = result["names"]
    if entry["problem"]:
        assert result["record_sets"] == result["files"] == []
        assert entry["record_set"] is entry["file"] is None
        assert entry["evidence"] == "none"
        assert result["unresolved"][0]["message"]
    return t.cast("str | None", entry["problem"])


@pytest.mark.parametrize(
    "url",
    [
        f"http://other.example.org{FOLDER}a.txt",
        f"http://example.org{FOLDER}a.txt",
        f"http://www.example.org.evil.example{FOLDER}a.txt",
        f"http://www.example.org@evil.example{FOLDER}a.txt",
        f"http://www.example.org:8080{FOLDER}a.txt",
        f"http://www.example.org:x{FOLDER}a.txt",
        f"ftp://www.example.org{FOLDER}a.txt",
        f"http://www.example.org{FOLDER}../a.txt",
        f"http://www.example.org{FOLDER}a/b.txt",
        f"http://www.example.org{FOLDER}a..txt",
        f"http://www.example.org{FOLDER}.htaccess",
        f"http://www.example.org{FOLDER}%2e%2e%2fa.txt",
        f"http://www.example.org{FOLDER}",
        f"http://www.example.org{FOLDER}a.txt?x=1",
        f"http://www.example.org{FOLDER}a\\b.txt",
        f"http://www.example.org{FOLDER}a b.txt",
        "http://www.example.org/a.txt",
        "http://[::1/a.txt",
        "",
    ],
)
def test_hostile_file_is_refused(url: str) -> None:
    assert problem_of(by_file("www.example.org", url)) == "evidence_refused"


@pytest.mark.parametrize("content", ["", "x" * 5001, "a\0b", "a\x1bb", "\ufefftoken"])
def test_hostile_content_is_refused(content: str) -> None:
    assert problem_of(by_file("a.example", f"http://a.example{FOLDER}a.txt", content)) == "evidence_refused"


def test_content_with_crlf_survives() -> None:
    evidence = by_file("a.example", f"https://a.example{FOLDER}A.txt", "AB\r\nCOMODOCA.COM\r\nt1")
    assert report([evidence], zone_from([]))["files"][0]["content"] == "AB\r\nCOMODOCA.COM\r\nt1"


def test_wildcard_by_file_is_refused() -> None:
    assert problem_of(by_file("*.example.org", f"http://example.org{FOLDER}a.txt")) == "wildcard_needs_dns"


@pytest.mark.parametrize(
    ("kind", "fqdn", "value"),
    [
        ("A", "_a.www.example.org", "192.0.2.1"),
        ("TXT", "_dnsauth.other.org", "v"),
        ("TXT", "_dnsauth.x.www.example.org", "v"),
        ("TXT", "_dnsauth.org", "v"),
        ("TXT", "mail.www.example.org", "v"),
        ("CNAME", "www.example.org", "a.sectigo.com"),
        ("CNAME", "_a.www.example.org", ""),
        ("CNAME", "_a.www.example.org", "a b.sectigo.com"),
        ("CNAME", "_a.www.example.org", "x" * 64 + ".sectigo.com"),
        ("CNAME", "_a" + "b" * 63 + ".www.example.org", "a.sectigo.com"),
        ("TXT", "_dnsauth.www.example.org", ""),
        ("TXT", "_dnsauth.www.example.org", "a\nb"),
        ("TXT", "_dnsauth.www.example.org", "x" * 4001),
        ("TXT", "_dns auth.www.example.org", "v"),
    ],
)
def test_hostile_record_is_refused(kind: str, fqdn: str, value: str) -> None:
    assert problem_of(by_record("www.example.org", kind, fqdn, value)) == "evidence_refused"


def test_record_may_stand_at_a_parent() -> None:
    for fqdn in ("_dnsauth.example.org", "example.org", "_dnsauth.a.b.example.org", "a.b.example.org"):
        evidence = by_record("a.b.example.org", "TXT", fqdn, "v")
        assert checked(evidence) == evidence


@pytest.mark.parametrize(("kind", "value"), [("CNAME", "b.sectigo.com"), ("TXT", "b")])
def test_two_orders_that_need_different_records_at_one_owner(kind: str, value: str) -> None:
    result = report(
        [
            by_record("example.org", "CNAME", "_dnsauth.example.org", "a.sectigo.com"),
            by_record("example.org", kind, "_dnsauth.example.org", value, SECOND),
            by_record("other.org", "CNAME", "_dnsauth.other.org", "a.sectigo.com", SECOND),
        ],
        zone_from([]),
    )
    assert [item["problem"] for item in result["names"]] == ["cname_conflict", "cname_conflict", None]
    assert [item["fqdn"] for item in result["record_sets"]] == ["_dnsauth.other.org"]
    assert "digicert order 1 and gogetssl order 2" in result["unresolved"][0]["message"]


def test_two_contents_at_one_url_are_refused() -> None:
    url = f"http://a.example{FOLDER}a.txt"
    result = report([by_file("a.example", url, "one"), by_file("a.example", url, "two", SECOND)], zone_from([]))
    assert [item["problem"] for item in result["names"]] == ["evidence_refused"] * 2
    assert result["files"] == []
