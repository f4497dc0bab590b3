# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role publishes for DCV, who does it, and what is withdrawn: the decisions, without Ansible."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.certops.issuance.plugins.plugin_utils import _dcv_conflicts as conflicts
from ansible_collections.certops.issuance.plugins.plugin_utils import _role_dcv as rules

Data = dict[str, t.Any]
SETTINGS: Data = {
    "tasks": "/play/dns.yml", "webroot": None, "resolvers": [], "address_map": {}, "zones": [], "visible_timeout": 600,
}  # fmt: skip


def request(host: str, *order_ids: str, csr: str | None = None, **settings: t.Any) -> Data:
    """A request that a host has published."""
    dcv = {**SETTINGS, **settings}
    dcv.update(label=rules.publisher_label("digicert-1", dcv), order_id=(*order_ids, "0")[0])
    return {"host": host, "order_ids": list(order_ids), "csr": csr, "dcv": dcv}


def name(order_id: str, *values: str, fqdn: str = "_dnsauth.example.org", kind: str = "TXT", **fields: t.Any) -> Data:
    """A name as order_dcv_info returns it, with a record set of its order."""
    record_set = {"type": kind, "fqdn": fqdn, "zone": "example.org", "values": list(values), "names": ["example.org"]}
    found = {"name": "example.org", "order_id": order_id, "provider": "digicert", "record_set": None, "file": None}
    return {**found, "record_set": record_set if values else None, **fields}


def file(path: str, content: str) -> Data:
    """A file as order_dcv_info returns it."""
    return {"url": f"http://example.org{path}", "path": path, "content": content, "names": ["example.org"]}


def finding(code: str, severity: str, retry_after: int | None, of: str = "example.org") -> Data:
    """A finding as dcv_diagnose returns it."""
    return {
        "code": code, "severity": severity, "retry_after": retry_after, "name": of, "subject": "TXT _dnsauth",
        "seen": None, "advice": "Publish it.",
    }  # fmt: skip


def diagnosis(*findings: Data, visible: bool = False, untested: str | None = None, of: str = "example.org") -> Data:
    """A look at one name."""
    codes = [one["code"] for one in findings]
    advice = findings[0]["advice"] if findings else None
    return {
        "findings": list(findings),
        "not_tested": [{"name": of, "reason": untested}] if untested else [],
        "by_name": {of: {"visible": visible, "codes": codes, "advice": advice}},
    }


class TestSharing:
    """Which hosts share a publisher, and what is asked for them."""

    def test_hosts_that_publish_in_the_same_way_share_a_publisher(self) -> None:
        first, second = request("web1", "1"), request("web2", "2", webroot="/srv/www")
        elsewhere = request("web3", "3", tasks="/play/other.yml")
        without = {"host": "web4", "order_ids": ["4"]}
        assert rules.publishing_peers(second, [without, first, elsewhere, second]) == [first, second]

    @pytest.mark.parametrize(
        "other", [{"zones": ["example.net"]}, {"resolvers": ["192.0.2.1"]}, {"visible_timeout": 1}]
    )
    def test_other_settings_are_another_publisher(self, other: Data) -> None:
        assert request("web1", "1")["dcv"]["label"] != request("web1", "1", **other)["dcv"]["label"]

    def test_each_order_is_asked_for_once_with_what_any_of_its_hosts_knows(self) -> None:
        peers = [request("web1", "1"), request("web2", "1", "2", csr="a CSR", unique_value=""), request("web3", "2")]
        assert rules.questions(peers, ["1"]) == [
            {"order_id": "1", "evidence": True, "csr": "a CSR", "unique_value": ""},
            {"order_id": "2", "evidence": True, "csr": "a CSR", "unique_value": ""},
        ]

    def test_the_csr_of_a_renewal_is_used_only_where_the_provider_needs_one(self) -> None:
        peer = request("web1", "1", csr="a CSR", pending_csr="a CSR")
        peer["renews"] = {"order_id": "1", "wish": {"csr": "a CSR"}}
        assert rules.questions([peer], []) == [{"order_id": "1", "evidence": True, "pending_csr": "a CSR"}]

    def test_an_order_that_nobody_waits_for_is_asked_for_only_where_something_is_left(self) -> None:
        assert rules.questions([request("web1")], ["1"]) == []
        assert rules.questions([request("web1")], ["0"]) == [{"order_id": "0", "evidence": False}]

    def test_a_host_without_evidence_of_its_own_does_not_publish_for_the_others(self) -> None:
        peers = [request("web1", "1"), request("web2", "2"), request("web3", "3")]
        refused = {"order_id": "1", "problem": "cname_conflict", "message": "orders 1 and 9"}
        answer = {"leader": "web1", "asked": ["1", "2", "3"], "errors": [], "unresolved": []}
        assert rules.publisher(peers, answer) == "web1"
        assert rules.publisher(peers, dict(answer, unresolved=[refused])) == "web2"
        assert rules.publisher(peers, dict(answer, unresolved=[refused], asked=["1", "3"])) == "web3"
        assert rules.publisher(peers[:1], dict(answer, unresolved=[refused])) == "web1"


class TestPublishing:
    """What is published: all values of a set, those of other orders included."""

    def test_a_set_keeps_the_values_that_other_orders_still_need(self) -> None:
        journal = rules.record_entries(
            [name("1", "former"), name("2", "theirs"), name("3", "else", fqdn="_b.example.org")]
        )
        (found,) = rules.wanted_record_sets(rules.record_entries([name("1", "mine")]), journal)
        assert found["values"] == ["mine", "theirs"]
        assert found["values_quoted"] == ['"mine"', '"theirs"']
        assert (found["label"], found["shared"]) == ("_dnsauth", True)
        assert [one["order_id"] for one in found["orders"]] == ["1", "2"]

    def test_beside_a_cname_nothing_is_published(self) -> None:
        mine, theirs = (name(number, f"{number}.example.net", kind="CNAME") for number in "12")
        (found,) = rules.wanted_record_sets(rules.record_entries([mine]), rules.record_entries([theirs]))
        assert (found["values"], found["values_dot"]) == (["1.example.net"], ["1.example.net."])

    def test_a_value_is_one_entry_however_many_names_it_serves(self) -> None:
        assert len(rules.record_entries([name("1", "a"), name("1", "a", name="www.example.org"), name("2")])) == 1

    def test_a_file_that_two_names_share_is_written_once(self) -> None:
        both = [name("1", file=file("/.well-known/a.txt", "x")), name("1", file=file("/.well-known/a.txt", "x"))]
        (found,) = rules.file_entries(both, "web1", "/srv/www/")
        assert (found["path"], found["host"]) == ("/srv/www/.well-known/a.txt", "web1")

    def test_two_contents_at_one_path_are_refused(self) -> None:
        both = [name("1", file=file("/a.txt", "x")), name("1", file=file("/a.txt", "y"))]
        with pytest.raises(ValueError, match="different contents at /srv/a.txt"):
            rules.file_entries(both, "web1", "/srv")

    def test_what_the_role_does_not_publish_is_said(self) -> None:
        names = [name("1", "v"), name("1", file=file("/a.txt", "x\ny"))]
        record, page = rules.what_to_publish(names, records=False, files=False)
        assert record == "publish the TXT record _dnsauth.example.org with value v"
        assert page == 'serve "x\\ny" at http://example.org/a.txt'
        assert rules.what_to_publish(names, records=True, files=True) == []


class TestConflicts:
    """What cannot stand side by side, over all orders."""

    def test_two_targets_at_one_owner_are_refused_for_both_orders(self) -> None:
        names = [name("1", "a.example.net", kind="CNAME"), name("2", "b.example.net", kind="CNAME"), name("3", "v")]
        names[2]["record_set"]["fqdn"] = "_dnsauth.example.com"
        kept, unresolved = conflicts.without_conflicts(names, [])
        assert [one["problem"] for one in kept[:2]] == ["cname_conflict"] * 2
        assert kept[2] == names[2]
        assert [one["order_id"] for one in unresolved] == ["1", "2"]
        for one in unresolved:
            assert one["message"].startswith(
                "digicert order 1 and digicert order 2 need different records at _dnsauth."
            )
        assert [entry["order_id"] for entry in rules.record_entries(kept)] == ["3"]

    def test_what_can_stand_side_by_side_is_kept(self) -> None:
        texts = [name("1", "a", "b"), name("2", "c")]
        targets = [name(number, "same.example.net", fqdn="_a.example.org", kind="CNAME") for number in "12"]
        assert conflicts.without_conflicts([*texts, *targets], []) == ([*texts, *targets], [])

    def test_two_contents_at_one_url_are_refused_for_both_orders(self) -> None:
        names = [name(number, file=file("/.well-known/pki-validation/a.txt", number)) for number in "12"]
        kept, unresolved = conflicts.without_conflicts(names, [])
        assert [one["file"] for one in kept] == [None, None]
        assert [one["problem"] for one in unresolved] == ["evidence_refused"] * 2

    def test_a_live_order_of_the_journal_counts_as_well(self) -> None:
        (entry,) = rules.record_entries([name("9", "theirs.example.net", kind="CNAME")])
        (kept,), (unresolved,) = conflicts.without_conflicts([name("1", "mine.example.net", kind="CNAME")], [entry])
        assert kept["record_set"] is None
        assert (kept["order_id"], unresolved["order_id"]) == ("1", "1")
        assert "digicert order 1 and digicert order 9" in unresolved["message"]

    @pytest.mark.parametrize(
        ("journaled", "conflict"),
        [
            (name("9", "theirs.example.net", kind="CNAME"), True),
            (name("9", "v"), True),
            (name("9", "mine.example.net", kind="CNAME"), False),
            (name("9", "theirs.example.net", kind="CNAME", fqdn="_b.example.org"), False),
            # A former value of the same order is replaced.
            (name("1", "former.example.net", kind="CNAME"), False),
        ],
    )
    def test_entries_of_the_journal_that_are_in_the_way(self, journaled: Data, conflict: bool) -> None:
        entries = rules.record_entries([journaled])
        found = conflicts.conflicting_entries([name("1", "mine.example.net", kind="CNAME")], entries)
        assert found == (entries if conflict else [])

    def test_files_and_texts_of_the_journal_are_not_in_the_way(self) -> None:
        journal = [
            *rules.record_entries([name("9", "v")]),
            *rules.file_entries([name("9", file=file("/a", "x"))], "w", "/"),
        ]
        assert (
            conflicts.conflicting_entries([name("1", "mine")], [dict({"fqdn": None}, **entry) for entry in journal])
            == []
        )
        assert conflicts.conflicting_entries([name("1", "mine.example.net", kind="CNAME")], journal[1:]) == []


class TestFailures:
    """Why a host fails before it waits."""

    def test_only_the_orders_of_the_host_count(self) -> None:
        answer = {
            "errors": [{"order_id": "1", "error_kind": "not_found", "msg": "unknown"}],
            "unresolved": [
                {"order_id": "2", "problem": "token_unknown", "message": "give csr"},
                {"order_id": "3", "problem": "wildcard_needs_dns", "message": "use DNS"},
            ],
        }
        found = [rules.evidence_failures(request("web1", number), answer) for number in "1234"]
        kinds = [[one["error_kind"] for one in failures] for failures in found]
        assert kinds == [["not_found"], ["token_unknown"], ["not_visible"], []]

    def test_the_failure_of_an_order_that_cannot_be_seen_has_the_advice(self) -> None:
        grave = finding("record_wrong_name", "fatal", None)
        orders = {"1": {"state": "failed", "findings": [finding("negative_cache", "warning", 5), grave]}}
        (found,) = rules.unseen_failures(request("web1", "1"), orders)
        assert found["error_kind"] == "not_visible"
        assert found["msg"] == "the CA cannot validate example.org: record_wrong_name (TXT _dnsauth). Publish it."
        assert rules.unseen_failures(request("web1", "2"), orders) == []


class TestSeeing:
    """What a look means."""

    @pytest.mark.parametrize(
        ("look", "last", "state"),
        [
            (diagnosis(visible=True), False, "visible"),
            (diagnosis(finding("record_missing", "fatal", 30)), False, "open"),
            (diagnosis(finding("record_missing", "fatal", 30)), True, "failed"),
            (diagnosis(finding("record_wrong_name", "fatal", None)), False, "failed"),
            (diagnosis(finding("partial_propagation", "warning", 30)), False, "open"),
            (diagnosis(finding("partial_propagation", "warning", 30)), True, "untested"),
            (diagnosis(untested="dns_blocked"), False, "untested"),
            (diagnosis(untested="deadline"), False, "open"),
            (diagnosis(untested="deadline"), True, "untested"),
        ],
    )
    def test_state_of_an_order(self, look: Data, last: bool, state: str) -> None:
        assert rules.seen_by_order({"1": {"example.org"}}, look, last)["1"]["state"] == state

    def test_what_was_found_about_another_name_does_not_count(self) -> None:
        look = diagnosis(finding("record_wrong_name", "fatal", None, of="a.org"), of="a.org")
        look["by_name"].update(diagnosis(visible=True)["by_name"])
        assert rules.seen_by_order({"1": {"example.org"}}, look, last=False)["1"]["state"] == "visible"

    @pytest.mark.parametrize("names", [set(), {"other.example"}, {"example.org", "other.example"}])
    def test_a_name_of_which_the_look_says_nothing_is_not_visible(self, names: set[str]) -> None:
        for last in (False, True):
            assert rules.seen_by_order({"1": names}, diagnosis(visible=True), last)["1"]["state"] == "untested"

    def test_names_are_expected_as_a_look_reports_them(self) -> None:
        wanted = name("1", "v", name="WWW.Example.org")
        wanted["record_set"]["names"] = ["WWW.Example.org."]
        expected = rules.expected_names([wanted])
        assert expected == {"1": {"www.example.org"}}
        bad = diagnosis(finding("record_wrong_value", "fatal", None, of="www.example.org"), of="www.example.org")
        assert rules.seen_by_order(expected, bad, last=False)["1"]["state"] == "failed"

    def test_orders_that_share_a_name_are_looked_at_apart(self) -> None:
        names = [name("1", "a"), name("2", "b"), name("3", "c", name="c.org"), name("2", "b", name="*.example.org")]
        names[2]["record_set"]["names"] = ["c.org"]
        assert rules.orders_apart(names) == [{"1", "3"}, {"2"}]
        assert rules.orders_apart([name("1", "a", name="EXAMPLE.org"), name("2")]) == [{"1"}, {"2"}]
        assert rules.orders_apart([]) == []

    def test_what_several_looks_say_of_a_name_is_shown_once(self) -> None:
        looks = [diagnosis(visible=True), diagnosis(finding("record_missing", "fatal", 30))]
        codes, lines = rules.changes({}, *looks)
        assert (codes, lines) == ({"example.org": ["record_missing"]}, ["example.org: record_missing. Publish it."])

    def test_only_what_has_changed_is_shown(self) -> None:
        missing = diagnosis(finding("record_missing", "fatal", 30))
        codes, lines = rules.changes({}, missing)
        assert lines == ["example.org: record_missing. Publish it."]
        assert rules.changes(codes, missing)[1] == []
        codes, lines = rules.changes(codes, diagnosis(visible=True))
        assert (codes, lines) == ({"example.org": []}, ["example.org: the CA can see the evidence"])
        assert rules.changes({}, diagnosis(untested="dns_blocked"))[1] == ["example.org: could not be tested from here"]


class TestWithdrawing:
    """What is removed, value by value."""

    def test_a_value_that_another_order_needs_stays(self) -> None:
        journal = rules.record_entries([name("1", "shared", "mine"), name("2", "shared")])
        ended = rules.entries_of(journal, {("digicert", "1")}, "web1", leads=True)
        assert [entry["value"] for entry in ended] == ["shared", "mine"]
        (found,) = rules.withdrawn_record_sets(ended, journal)
        assert found["values"] == ["mine"]

    def test_a_host_withdraws_its_own_files_and_records_only_where_it_leads(self) -> None:
        page = [name("1", file=file("/a.txt", "x"))]
        journal = [*rules.record_entries([name("1", "v")]), *rules.file_entries(page, "web1", "/srv")]
        journal += rules.file_entries(page, "web2", "/srv")
        orders = {("digicert", "1")}
        assert rules.entries_of(journal, orders, "web1", leads=True) == journal[:2]
        assert rules.entries_of(journal, orders, "web2", leads=False) == journal[2:]
        assert rules.entries_of(journal, {("sectigo", "1")}, "web1", leads=True) == []

    def test_a_file_that_another_order_needs_stays(self) -> None:
        first, second = (rules.file_entries([name(n, file=file("/a.txt", "x"))], "web1", "/srv") for n in "12")
        assert rules.withdrawn_files(first, [*first, *second]) == []
        assert rules.withdrawn_files(first, first) == first
