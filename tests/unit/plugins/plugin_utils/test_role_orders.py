# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How hosts share the questions of the role to a provider: the decisions, without Ansible."""

from __future__ import annotations

import dataclasses
import pathlib
import typing as t

import pytest
import yaml

from ansible_collections.certops.issuance.plugins.module_utils._orders.account import Account
from ansible_collections.certops.issuance.plugins.plugin_utils import _role_orders as role

TREE = pathlib.Path(__file__).resolve().parents[4]
ACCOUNT = Account(provider="digicert", api_url="https://api.example.org", api_key="a key")
SALT = b"salt"


def request(host: str, *order_ids: str, **fields: t.Any) -> role.Data:
    """A request that a host has published."""
    found: role.Data = {
        "host": host, "entry": "main", "account": "digicert-1", "order_ids": list(order_ids), "superseded": None,
        "superseded_since": "", "in_service": None, "csr": None,
    }  # fmt: skip
    return dict(found, **fields)


def order(order_id: str, outcome: str = "reached", serial: str | None = "0A", **fields: t.Any) -> role.Data:
    """An order as order_wait returns it."""
    found: role.Data = {
        "order_id": order_id, "provider": "digicert", "outcome": outcome, "status": "validating", "blockers": [],
        "certificate": {"serial_number": serial},
    }  # fmt: skip
    if outcome != "reached":
        found.update(error_kind={"failed": "order_failed"}.get(outcome, outcome), msg=f"{order_id} is {outcome}")
    return dict(found, **fields)


class TestWhatAUserHasWritten:
    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            (["1", 2, " 1 "], ["1", "2"]),
            ("1, 2,,", ["1", "2"]),
            (12345, ["12345"]),
            (" , ", []),
            ([], []),
            (None, []),
            ("", []),
        ],
    )
    def test_order_ids(self, given: t.Any, expected: list[str]) -> None:
        assert role.listed_order_ids(given) == expected

    @pytest.mark.parametrize(
        ("given", "right"),
        [
            ("certificate_reload_command", "certificate_reload_commands"),
            ("certificate_order_ID", "certificate_order_id"),
            ("certificate_orderid", "certificate_order_id"),
            ("Certificate_path", "certificate_path"),
            ("certificate_probe", "certificate_probes"),
            ("certificate_name", "certificate_names"),
            ("certificate_wait_tiemout", "certificate_wait_timeout"),
            ("certificate_timeout_wait", "certificate_wait_timeout"),
            ("certificate_validation_commands", "certificate_validate_commands"),
            ("certificate_polling_interval", "certificate_poll_interval"),
            ("certificate_key_path", "certificate_private_key_path"),
        ],
    )
    def test_a_variable_that_is_nearly_right_is_told_with_the_right_one(self, given: str, right: str) -> None:
        assert role.misspelled([given], role.ROLE_VARIABLES, role.ROLE_FACTS) == {given: [right]}

    def test_where_a_word_is_missing_all_that_end_so_are_told(self) -> None:
        wrong = role.misspelled(["certificate_timeout"], role.ROLE_VARIABLES, role.ROLE_FACTS)
        assert "certificate_wait_timeout" in wrong["certificate_timeout"]
        assert all(name.endswith("_timeout") for name in wrong["certificate_timeout"])
        assert role.spelling({"a_b": ["a_c", "a_d"]}) == "there is no variable a_b; did you mean a_c or a_d?"

    @pytest.mark.parametrize(
        "name",
        [
            "certificate_requests", "certificate_wait", "certificate_key", "certificate_domain", "certificate_email",
            "certificate_authority_url", "certificate_bundle", "certificate_dir", "certificate_url", "certificate_type",
            "certificate_provider_name", "certificates", "reload_commands", "ansible_host", "http_timeout",
            *role.ROLE_VARIABLES, *role.ROLE_FACTS,
        ],
    )  # fmt: skip
    def test_other_variables_are_somebody_elses(self, name: str) -> None:
        assert role.misspelled([name], role.ROLE_VARIABLES, role.ROLE_FACTS) == {}

    def test_the_variables_of_the_playbook_status(self) -> None:
        names = ["status_csv_fil", "status_csv_file", "status_page", "status"]
        assert role.misspelled(names, ["status_csv_file", "status_json_file"]) == {
            "status_csv_fil": ["status_csv_file"]
        }

    def test_the_known_variables_are_those_of_the_argument_specs(self) -> None:
        specs = yaml.safe_load((TREE / "roles/certificate/meta/argument_specs.yml").read_text(encoding="utf-8"))
        options = {name for spec in specs["argument_specs"].values() for name in spec["options"]}
        assert options == set(role.ROLE_VARIABLES)

    @pytest.mark.parametrize(
        ("inputs", "expected"),
        [
            ({}, []),
            ({"order_id": 7}, []),
            ({"order_id": " "}, ["certificate_order_id is empty; give the number of the order"]),
            ({"order_id": None}, ["certificate_order_id is empty; give the number of the order"]),
            ({"order_id": ["1"]}, ["certificate_order_id is a list"]),
            ({"private_key_path": None}, ["give either"]),
            ({"private_key_content": "a key"}, ["give either"]),
            ({"private_key_path": None, "private_key_content": "a key"}, []),
            ({"csr": "/etc/ssl/www.csr"}, ["certificate_csr is no PEM"]),
            ({"csr": "-----BEGIN NEW CERTIFICATE REQUEST-----"}, []),
            (
                {"order_id": "", "private_key_path": ""},
                ["certificate_order_id is empty; give the number of the order", "give either"],
            ),
        ],
    )
    def test_what_the_role_cannot_work_with(self, inputs: role.Data, expected: list[str]) -> None:
        right = {"entry": "main", "order_id": "1", "private_key_path": "/etc/ssl/www.key"}
        found = role.input_mistakes({**right, **inputs})
        assert [kind for kind, _message in found] == ["invalid_request"] * len(expected)
        assert all(message.startswith(start) for (_kind, message), start in zip(found, expected, strict=True))

    @pytest.mark.parametrize(
        ("entry", "inputs", "wrong"),
        [
            ("wait", {"order_ids": []}, False),
            ("wait", {"order_ids": [""]}, False),
            ("wait", {"order_ids": ""}, True),
            ("wait", {"order_ids": " , "}, True),
            ("wait", {}, True),
            ("wait", {"order_ids": 7}, False),
            ("status", {}, True),
            ("status", {"order_ids": []}, False),
            ("status", {"order_ids": " "}, True),
            ("status", {"order_id": "7"}, False),
        ],
    )
    def test_an_empty_list_is_a_host_without_orders_and_an_empty_text_a_mistake(
        self, entry: str, inputs: role.Data, wrong: bool
    ) -> None:
        assert bool(role.input_mistakes({"entry": entry, **inputs})) is wrong


class TestAccounts:
    def label(self, environment: dict[str, str] | None = None, salt: bytes = SALT, **fields: t.Any) -> str:
        account = dataclasses.replace(ACCOUNT, **fields)
        return role.account_label(salt, account, environment or {}, 1800, None, False)

    def test_every_field_tells_accounts_apart(self) -> None:
        for field in dataclasses.fields(Account):
            assert self.label(**{field.name: "another"}) != self.label(), field.name

    def test_what_decides_how_the_provider_is_reached_counts_and_nothing_else(self) -> None:
        for name in ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
            assert self.label({name: "x"}) != self.label(), name
        assert self.label({"LANG": "C"}) == self.label()

    def test_hosts_that_wait_differently_do_not_wait_together(self) -> None:
        assert role.account_label(SALT, ACCOUNT, {}, 60, None, False) != self.label()
        assert role.account_label(SALT, ACCOUNT, {}, 1800, None, True) != self.label()

    def test_nobody_can_guess_a_password_from_the_label(self) -> None:
        assert self.label(salt=b"another") != self.label()
        assert "a key" not in self.label()


class TestRequests:
    def made(self, deployed: role.Data, **inputs: t.Any) -> role.Data:
        return role.make_request("web1", "label", {"entry": "main", "order_id": 7, **inputs}, deployed)

    DEPLOYED: t.ClassVar[role.Data] = {
        "exists": True, "placeholder": False, "serial_number": "0B",
        "verified": {"serial_number": "0A", "not_before": "2026-01-01"},
    }  # fmt: skip

    def test_what_is_in_service_is_superseded_in_a_reissue_only(self) -> None:
        assert self.made(self.DEPLOYED)["superseded"] is None
        assert self.made(self.DEPLOYED, reissue=True)["superseded"] == "0A"
        assert self.made(self.DEPLOYED, reissue=True)["superseded_since"] == "2026-01-01"
        assert self.made(self.DEPLOYED, superseded_serial_number="0C", reissue=False)["superseded"] == "0C"

    def test_a_placeholder_is_not_in_service(self) -> None:
        found = self.made({**self.DEPLOYED, "placeholder": True}, reissue=True)
        assert (found["superseded"], found["in_service"]) == (None, None)
        assert self.made(self.DEPLOYED)["in_service"] == "0B"
        assert self.made({"exists": False, "verified": None})["in_service"] is None

    def test_the_orders_of_each_part_of_the_role(self) -> None:
        both = {"order_id": 7, "order_ids": "8, 9"}
        assert role.make_request("h", "l", {"entry": "main", **both}, {})["order_ids"] == ["7"]
        assert role.make_request("h", "l", {"entry": "wait", **both}, {})["order_ids"] == ["8", "9"]
        assert role.make_request("h", "l", {"entry": "status", **both}, {})["order_ids"] == ["8", "9", "7"]

    def test_the_first_host_of_an_account_leads(self) -> None:
        requests = [
            request("web1", "1", account="a"),
            request("web2", "2", account="b"),
            request("web3", "1", "3", account="a"),
            request("web4", "4", account="a", entry="wait"),
        ]
        assert [role.leader_of(one, requests) for one in requests] == ["web1", "web2", "web1", "web4"]
        assert role.leader_of(request("web9", account="z"), requests) == "web9"
        assert role.order_ids_of(role.peers_of(requests[2], requests)) == ["1", "3"]

    def test_the_oldest_certificate_in_service_is_superseded(self) -> None:
        requests = [
            request("web1", "1", superseded="0B", superseded_since="2026-02-01"),
            request("web2", "1", superseded="0A", superseded_since="2026-01-01"),
            request("web3", "2", superseded="0C", superseded_since="2026-03-01"),
            request("web4", "2"),
        ]
        assert role.superseded_serials(requests) == {"1": "0A", "2": "0C"}


class TestOutcomes:
    def test_failures_come_with_the_gravest_first(self) -> None:
        orders = [order("1", "timed_out"), order("2", "action_required"), order("3", "failed"), order("4")]
        failures = role.judge(request("web1", "1", "2", "3", "4"), orders, defer=False)
        assert [one["order_id"] for one in failures] == ["3", "2", "1"]
        assert role.one_failure(failures) == {
            "error_kind": "order_failed",
            "order_id": "3",
            "msg": "digicert order 3: 3 is failed. digicert order 2: 2 is action_required. "
            "digicert order 1: 1 is timed_out",
        }

    def test_an_order_that_is_late_is_no_failure_where_it_is_deferred(self) -> None:
        late = [order("1", "timed_out")]
        assert role.judge(request("web1", "1"), late, defer=True) == []
        assert role.timed_out(late) == late
        assert role.judge(request("web1", "1"), [order("1", "failed")], defer=True)

    def test_a_wait_that_was_given_orders_and_ends_with_none_is_a_failure(self) -> None:
        assert role.judge(request("web1"), [], defer=False) == []
        (failure,) = role.judge(request("web1", "1", "2"), [order("2")], defer=True)
        assert (failure["error_kind"], failure["order_id"]) == ("unavailable", "1")

    def test_a_host_has_its_orders_in_the_order_in_which_it_lists_them(self) -> None:
        found = role.own_orders(request("web1", "3", "1"), [order("1"), order("2"), order("3")])
        assert [one["order_id"] for one in found] == ["3", "1"]

    def test_what_a_host_says_of_late_orders(self) -> None:
        late = [order("1", "timed_out", blockers=[{"message": "publish it"}]), order("2"), order("3", "timed_out")]
        assert role.still_waited_for(late, check_mode=False) == (
            "digicert order 1: 1 is timed_out. digicert order 3: 3 is timed_out"
        )
        assert role.still_waited_for(late[:2], check_mode=True) == (
            "would wait for digicert order 1: validating, publish it"
        )

    def test_status_has_a_row_for_each_order(self) -> None:
        answer = {
            "orders": [order("1")], "msg": "first failure", "error_kind": "not_found",
            "errors": [{"order_id": "2", "msg": "not known", "error_kind": "not_found"}, {"msg": "of no order"}],
        }  # fmt: skip
        rows = role.status_rows(request("web1", "2", "1", "3"), answer, "digicert")
        assert [(row["order_id"], row.get("msg"), row["host"]) for row in rows] == [
            ("2", "not known", "web1"), ("1", None, "web1"), ("3", "first failure", "web1"),
        ]  # fmt: skip
        assert role.status_rows(request("web1", "1"), {}, "digicert")[0]["error_kind"] == "unavailable"


class TestCertificates:
    def test_only_another_certificate_is_collected(self) -> None:
        assert not role.needs_certificate(request("web1", "1", in_service="0A"), order("1"))
        assert role.needs_certificate(request("web1", "1", in_service="0B"), order("1"))
        assert role.needs_certificate(request("web1", "1"), order("1"))
        assert role.needs_certificate(request("web1", "1", in_service="0A"), order("1", serial=None))

    def test_what_several_hosts_need_is_collected_once(self) -> None:
        peers = [
            request("web1", "1"), request("web2", "1"), request("web3", "1", csr="another"),
            request("web4", "1", in_service="0A"), request("web5", "2"), request("web6", "3"), request("web7", "3"),
            request("web8", "1", entry="wait"), request("web9"),
        ]  # fmt: skip
        orders = {"1": order("1"), "2": order("2"), "3": order("3", "failed")}
        assert role.shared_certificates(peers, orders, {"1": "0F"}) == [["digicert-1", "1", "0A", None, "0F"]]
