# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a host of the role requests the next certificate, and for whom: the decisions, without Ansible."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta, timezone

import pytest

from ansible_collections.certops.issuance.plugins.plugin_utils import _role_renewal as rules

Data = dict[str, t.Any]

BEGIN = datetime(2026, 3, 1, tzinfo=timezone.utc)
SALT = b"salt"
PENDING: Data = {"csr": "a CSR", "names": ["www.example.org"], "order_id": "7", "created_at": "2026-04-01T00:00:00Z"}
IN_SERVICE: Data = {
    "exists": True, "placeholder": False, "interrupted": False, "pending": None, "names": ["www.example.org"],
    "not_before": "2026-03-01T00:00:00Z", "not_after": "2026-04-17T00:00:00Z", "serial_number": "0A",
}  # fmt: skip
NOTHING: Data = {
    "exists": False, "placeholder": False, "interrupted": False, "pending": None, "names": [], "not_before": None,
    "not_after": None, "serial_number": None,
}  # fmt: skip
A_PLACEHOLDER: Data = {**IN_SERVICE, "placeholder": True}


def inputs(**changes: t.Any) -> Data:
    """What was made of the variables of the role."""
    found: Data = {
        "provider": "digicert",
        "renewal": "auto",
        "order_id": "7",
        "path": "/etc/certs/www",
        "names": [],
        "files": [],
        "key_type": "x",
    }
    return {**found, **changes}


def plan(deployed: Data, days: float, host: str = "web1", **changes: t.Any) -> rules.Plan:
    """What a host does so many days after its certificate was issued."""
    return rules.plan_renewal(inputs(**changes), deployed, host, BEGIN + timedelta(days=days))


class TestWhatAHostDoes:
    def test_a_certificate_that_is_not_due_rests(self) -> None:
        found = plan(IN_SERVICE, 20)
        assert (found.step, found.due, found.reason) == ("rest", False, None)
        assert found.at is not None and found.at.startswith("2026-03-3")

    def test_one_that_is_due_is_requested(self) -> None:
        found = plan(IN_SERVICE, 32)
        assert (found.step, found.due, found.reason) == ("request", True, "remaining")
        assert plan(IN_SERVICE, 46.5).reason == "late"
        assert plan(IN_SERVICE, 48).reason == "expired"

    def test_how_much_is_left_may_be_given(self) -> None:
        assert plan(IN_SERVICE, 32, renewal_remaining="5d").step == "rest"
        assert plan(IN_SERVICE, 20, renewal_remaining="90%").step == "request"
        with pytest.raises(ValueError, match="always be due"):
            plan(IN_SERVICE, 20, renewal_remaining=90)

    def test_force_requests_what_is_not_due(self) -> None:
        found = plan(IN_SERVICE, 1, renewal="force")
        assert (found.step, found.due, found.reason) == ("request", False, "forced")

    def test_a_request_in_pending_is_continued(self) -> None:
        deployed = {**IN_SERVICE, "pending": PENDING}
        assert (plan(deployed, 1).step, plan(deployed, 1).reason) == ("request", "pending")
        assert plan({**NOTHING, "pending": PENDING}, 1, private_key_path="/key").step == "request"

    @pytest.mark.parametrize(
        ("names", "step", "reason"),
        [
            (["WWW.example.org."], "rest", None),
            (["bücher.example.org"], "rest", None),
            (["new.example.net"], "request", "names"),
            (["not a name"], "rest", None),  # the modules refuse it
        ],
    )
    def test_a_name_that_is_not_covered_makes_it_due(self, names: list[str], step: str, reason: str | None) -> None:
        deployed = {**IN_SERVICE, "names": ["www.example.org", "*.example.org"]}
        found = plan(deployed, 1, names=names)
        assert (found.step, found.reason) == (step, reason)

    @pytest.mark.parametrize(("deployed", "reason"), [(NOTHING, "absent"), (A_PLACEHOLDER, "placeholder")])
    def test_without_a_certificate_a_key_that_is_given_belongs_to_the_order(self, deployed: Data, reason: str) -> None:
        assert (plan(deployed, 1).step, plan(deployed, 1).reason) == ("request", reason)
        for key in ({"private_key_path": "/key"}, {"private_key_content": "a key"}):
            assert plan(deployed, 1, **key).step == "take"

    def test_others_than_the_owner_of_the_key_take_what_is_there(self) -> None:
        given = {"key_owner": "web0", "private_key_content": "a key"}
        assert plan(IN_SERVICE, 32, **given).step == "take"
        assert plan(IN_SERVICE, 32, host="web0", **given).step == "request"
        assert plan(IN_SERVICE, 1, **given).step == "rest"
        assert plan(NOTHING, 1, **given).step == "take"
        assert plan({**IN_SERVICE, "pending": PENDING}, 1, **given).step == "rest"

    def test_hosts_that_share_a_key_are_due_at_the_same_time(self) -> None:
        hosts = [f"web{number}" for number in range(20)]
        shared = {plan(IN_SERVICE, 1, host=host, private_key_content="a key").at for host in hosts}
        assert len(shared) == 1
        assert len({plan(IN_SERVICE, 1, host=host).at for host in hosts}) > 1

    @pytest.mark.parametrize("asks", [{"reissue": True}, {"superseded_serial_number": "0A"}])
    def test_who_expects_another_certificate_asks_for_it(self, asks: Data) -> None:
        assert plan(IN_SERVICE, 1, **asks).step == "take"

    def test_a_deployment_that_was_interrupted_is_finished_first(self) -> None:
        assert plan({**IN_SERVICE, "interrupted": True}, 32).step == "take"
        assert plan({**IN_SERVICE, "interrupted": True, "pending": PENDING}, 32).step == "request"

    def test_what_a_plan_cannot_do_without(self) -> None:
        assert "certificate_names is empty" in rules.plan_mistakes(inputs(), NOTHING, rules.Plan("request"))[0]
        assert rules.plan_mistakes(inputs(names=["a.example"]), NOTHING, rules.Plan("request")) == []
        assert rules.plan_mistakes(inputs(), IN_SERVICE, rules.Plan("request")) == []
        assert "web0" in rules.plan_mistakes(inputs(key_owner="web0"), NOTHING, rules.Plan("take"))[0]
        assert rules.plan_mistakes(inputs(key_owner="web0"), IN_SERVICE, rules.Plan("take")) == []


def test_twelve_months_of_nightly_runs() -> None:
    """Certificates of 47 days, coverage of a year: no gap, a dozen requests, and a warning before the order ends."""
    lifetime, ends = timedelta(days=47), BEGIN + timedelta(days=365)
    for host in (f"web{number}" for number in range(50)):
        begin, requests, warned = BEGIN, 0, []
        for night in range(365):
            now = BEGIN + timedelta(days=night)
            end = min(begin + lifetime, ends)
            assert now < end, f"{host} serves nothing that is valid at {now}"
            deployed = {**IN_SERVICE, "not_before": text_of(begin), "not_after": text_of(end)}
            found = rules.plan_renewal(inputs(), deployed, host, now)
            if found.step == "rest":
                continue
            # The run waits, collects and deploys, and asks the provider for nothing on other nights.
            begin, requests = now, requests + 1
            after = {"not_before": text_of(now), "not_after": text_of(min(now + lifetime, ends))}
            renewal = rules.describe_plan(inputs(), host, found, host, None)
            order = {"provider": "digicert", "order_id": "7", "coverage": {"ends": text_of(ends)}, "certificate": after}
            warned += [now] * bool(rules.coverage_ends(renewal, order, after, now))
            if now > ends - timedelta(days=30):
                break  # order_reissue requests nothing for so little
        assert requests in (11, 12), (host, requests)
        assert warned and ends - warned[0] > timedelta(days=30), (host, warned)


def text_of(moment: datetime) -> str:
    """ISO 8601 UTC."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class TestWhatIsRequested:
    MADE: t.ClassVar[Data] = {"csr": "a CSR", "names": ["www.example.org"], "created_at": "2026-04-01T00:00:00Z"}

    def test_key_and_csr(self) -> None:
        options = rules.request_options(inputs(order_id=" 7 "), IN_SERVICE)
        assert options == {
            "path": "/etc/certs/www", "names": ["www.example.org"], "key_type": "x", "reuse_key": False,
            "order_id": "7",
        }  # fmt: skip
        assert rules.request_options(inputs(names=["a.example"]), IN_SERVICE)["names"] == ["a.example"]
        assert rules.request_options(inputs(private_key_content="a key"), IN_SERVICE)["reuse_key"] is True

    def test_a_wish(self) -> None:
        wish = rules.make_wish(inputs(renewal_resend_after="2h"), IN_SERVICE, self.MADE)
        assert wish == {
            "csr": "a CSR", "names": ["www.example.org"], "requested_after": "2026-04-01T00:00:00Z",
            "resend_after": "2h",
        }  # fmt: skip
        in_check_mode = rules.make_wish(inputs(), IN_SERVICE, {**self.MADE, "csr": None, "created_at": None})
        assert in_check_mode == {"csr": None, "names": ["www.example.org"]}

    def test_with_a_key_that_is_kept_every_later_certificate_counts(self) -> None:
        wish = rules.make_wish(inputs(private_key_content="a key"), IN_SERVICE, self.MADE)
        assert wish["requested_after"] == "2026-03-02T02:00:00Z"


class TestWhoRenews:
    def peer(self, host: str, order_id: str = "7", wish: Data | None = None, **changes: t.Any) -> Data:
        """A request that a host has published."""
        key = rules.key_label(SALT, inputs(order_id=order_id, **changes), host)
        renews = {"order_id": order_id, "key": key, "wish": wish} if key else None
        return {"host": host, "order_ids": [order_id], "in_service": "0A", "renews": renews}

    def test_two_hosts_with_keys_of_their_own_are_refused(self) -> None:
        peers = [self.peer("web0"), self.peer("web1"), self.peer("web2", "8"), self.peer("web3", renewal="never")]
        found = rules.shared_orders(peers, "digicert")
        assert list(found) == ["7"]
        assert found["7"].startswith("web0 and web1 would each renew digicert order 7 ")
        assert "certificate_key_owner" in found["7"]
        assert "web0 and web1 and 2 more would" in rules.shared_orders([*peers, *peers], "digicert")["7"]

    def test_hosts_that_share_a_key_are_not(self) -> None:
        shared = [self.peer(f"web{number}", private_key_content=f"a key{' ' * number}") for number in range(3)]
        owned = [self.peer(f"web{number}", key_owner="web1") for number in range(3)]
        assert rules.shared_orders(shared, "digicert") == rules.shared_orders(owned, "digicert") == {}
        differing = [*shared, self.peer("web9", private_key_content="another key")]
        assert "7" in rules.shared_orders(differing, "digicert")
        assert not any("a key" in str(peer) for peer in shared)

    def test_each_order_is_requested_once(self) -> None:
        first, second = {"csr": "first"}, {"csr": "second"}
        peers = [
            self.peer("web0", wish=None), self.peer("web1", wish={"csr": None}), self.peer("web2", wish=first),
            self.peer("web3", wish=second), self.peer("web4", "8", wish=second), self.peer("web5", "9", wish=first),
        ]  # fmt: skip
        assert rules.wishes_of(peers, {"9": "refused"}) == {"7": first, "8": second}

    def test_which_orders_are_awaited(self) -> None:
        renewed: Data = {
            "refused": {"1": "shared"},
            "requested": {
                "2": {"action": "sent"},
                "3": {"failed": True, "action": "none"},
                "4": {"action": "would_send"},
            },
        }
        wish = {"csr": "a CSR"}
        for order_id, expected in {"1": False, "2": True, "3": False, "4": False, "5": False}.items():
            assert rules.is_awaited(self.peer("web0", order_id, wish), renewed) is expected, order_id
        assert rules.is_awaited(self.peer("web0", "1"), renewed) is False
        assert rules.is_awaited(self.peer("web0", "3", key_owner="web9"), renewed) is True
        assert rules.is_awaited(self.peer("web0", "5"), renewed) is True
        assert rules.is_awaited({"host": "web0"}, renewed) is True

    def test_the_evidence_of_a_reissue_has_its_own_unique_value(self) -> None:
        settings = {"order_ids": ["1"], "dcv": {"unique_value": "oforder"}}
        renewed = {"requested": {"1": {"action": "adopted", "unique_value": "ofreissue"}}, "refused": {}}
        publishes = {**self.peer("web0", "1", {"csr": "a CSR"}), **settings}
        found = rules.renewed_request(publishes, renewed)
        assert (found["order_ids"], found["dcv"]) == (["1"], {"unique_value": "ofreissue"})
        # What is refused is published for nobody, and an order that is not renewed has what it was placed with.
        assert rules.renewed_request(publishes, {"requested": {}, "refused": {"1": "why"}})["order_ids"] == []
        waits = {**self.peer("web0", "1"), **settings}
        assert rules.renewed_request(waits, {"requested": {}, "refused": {}}) == waits

    @pytest.mark.parametrize(
        ("result", "serial"),
        [
            ({"action": "sent", "superseded_serial_number": "0B"}, "0B"),
            ({"action": "adopted", "superseded_serial_number": None}, "0A"),
            ({"action": "none", "superseded_serial_number": None}, None),
            ({"action": "none", "superseded_serial_number": "0B", "failed": True}, None),
        ],
    )
    def test_what_is_superseded(self, result: Data, serial: str | None) -> None:
        found = rules.superseded_serials([self.peer("web0")], {"requested": {"7": result}})
        assert found == ({"7": serial} if serial else {})


class TestWhereTheProviderRenewsByItself:
    """The next order is found, not requested."""

    FOLLOW: t.ClassVar[Data] = {**IN_SERVICE, "certificate": "a PEM"}

    def plan(self, deployed: Data, days: float, **changes: t.Any) -> rules.Plan:
        """What a host does so many days after its certificate was issued."""
        now = BEGIN + timedelta(days=days)
        return rules.plan_renewal(inputs(**changes), deployed, "web1", now, can_request=False)

    def renewal(self) -> Data:
        """What a host has published of its plan that looks for the next order."""
        return rules.describe_plan(inputs(), "web1", rules.Plan("follow", True, "remaining"), None, None)

    def request(self) -> Data:
        """What it publishes."""
        return rules.with_renewal({"order_ids": ["7"], "csr": None}, self.renewal(), self.FOLLOW)

    def test_it_is_looked_for_when_it_is_due(self) -> None:
        assert self.plan(IN_SERVICE, 1).step == "rest"
        assert self.plan(IN_SERVICE, 32).step == "follow"
        assert self.plan(IN_SERVICE, 1, renewal="force").step == "follow"
        assert self.plan({**IN_SERVICE, "pending": PENDING}, 1).step == "rest"
        assert self.plan({**IN_SERVICE, "interrupted": True}, 32).step == "take"
        assert self.plan(NOTHING, 1).step == "take"
        assert self.plan(IN_SERVICE, 1, reissue=True).step == "take"

    def test_the_key_of_the_first_certificate_has_to_be_given(self) -> None:
        assert "digicert" in rules.plan_mistakes(inputs(), NOTHING, rules.Plan("take"))[0]

    def test_what_the_host_publishes(self) -> None:
        request = self.request()
        assert request["follow"] == {"order_id": "7", "certificate": "a PEM"}
        assert (request["renews"], request["order_ids"]) == (None, ["7"])

    @pytest.mark.parametrize(("found", "order_ids"), [({"follow_up": "8"}, ["8"]), ({"follow_up": None}, []), ({}, [])])
    def test_the_order_that_is_found_takes_the_place(self, found: Data, order_ids: list[str]) -> None:
        renewed = {"followed": {"7": found}}
        assert rules.followed(self.request(), renewed)["order_ids"] == order_ids
        assert rules.followed({"order_ids": ["7"]}, renewed)["order_ids"] == ["7"]
        assert rules.is_requested(self.request(), renewed) is True
        assert rules.is_requested(self.request(), {"followed": {}}) is False

    @pytest.mark.parametrize(
        ("found", "action", "warns"),
        [
            ({"follow_up": "8", "installed": None}, "followed", False),
            ({"follow_up": None, "installed": {"certificate": "a PEM"}}, "followed", False),
            ({"follow_up": None, "installed": None}, "none", True),
        ],
    )
    def test_what_becomes_of_it(self, found: Data, action: str, warns: bool) -> None:
        result = rules.outcome(self.renewal(), {"followed": {"7": found}})
        assert result["report"]["action"] == action
        assert bool(result.get("warnings")) is warns
        assert result.get("installed") == found["installed"]

    def test_a_failed_look_fails_the_host(self) -> None:
        failed = {"failed": True, "error_kind": "authentication", "msg": "no"}
        result = rules.outcome(self.renewal(), {"followed": {"7": failed}})
        assert (result["failed"], result["error_kind"]) == (True, "authentication")


class TestWhatBecomesOfIt:
    def renewal(self, step: str = "request", wish: Data | None = None, **changes: t.Any) -> Data:
        """What a host has published of its plan."""
        return rules.describe_plan(inputs(**changes), "web0", rules.Plan(step, True, "remaining", "then"), "web0", wish)

    def outcome(self, renewal: Data | None, renewed: Data) -> Data:
        """What became of it."""
        return rules.outcome(renewal, renewed)

    def test_nothing_where_the_role_does_not_renew(self) -> None:
        assert self.outcome(None, {"refused": {"7": "shared"}}) == {}

    def test_a_shared_order_fails_also_while_nothing_is_due(self) -> None:
        found = self.outcome(self.renewal("rest"), {"refused": {"7": "shared"}, "requested": {}})
        assert (found["failed"], found["error_kind"], found["msg"]) == (True, "order_shared", "shared")

    def test_a_request_that_failed_fails_its_host(self) -> None:
        result = {"failed": True, "error_kind": "too_soon", "msg": "wait", "action": "none"}
        found = self.outcome(self.renewal(wish={"csr": "a CSR"}), {"requested": {"7": result}})
        assert (found["failed"], found["error_kind"], found["report"]["action"]) == (True, "too_soon", "none")

    @pytest.mark.parametrize(("csr", "requested"), [("a CSR", {"7": {"action": "would_send"}}), (None, {})])
    def test_check_mode_ends_with_what_it_would_do(self, csr: str | None, requested: Data) -> None:
        found = self.outcome(self.renewal(wish={"csr": csr}), {"requested": requested})
        assert found["deferred"] is True
        assert found["msg"] == "would request the next certificate of order 7 (remaining)"
        assert found["report"] == {"due": True, "reason": "remaining", "at": "then", "action": "would_send"}

    def test_what_was_sent(self) -> None:
        found = self.outcome(self.renewal(wish={"csr": "a CSR"}), {"requested": {"7": {"action": "adopted"}}})
        assert found == {"report": {"due": True, "reason": "remaining", "at": "then", "action": "adopted"}}
        assert self.outcome(self.renewal("rest"), {})["report"]["action"] == "none"

    def test_whether_a_host_has_to_request_alone(self) -> None:
        request = rules.with_renewal({"order_ids": ["7"], "csr": None}, self.renewal(wish={"csr": "a CSR"}), IN_SERVICE)
        assert request["csr"] == "a CSR"
        assert rules.is_requested(request, {}) is False
        assert rules.is_requested(request, {"requested": {"8": {}}, "refused": {}}) is False
        assert rules.is_requested(request, {"requested": {"7": {}}, "refused": {}}) is True
        assert rules.is_requested(request, {"requested": {}, "refused": {"7": "shared"}}) is True
        resting = rules.with_renewal({"order_ids": ["7"], "csr": "given"}, self.renewal("rest"), IN_SERVICE)
        assert (resting["order_ids"], resting["csr"]) == ([], "given")
        assert rules.is_requested(resting, {}) is True
        assert rules.is_requested({"order_ids": ["7"]}, {}) is True

    def test_the_key_of_a_request_is_deployed_and_then_removed(self) -> None:
        options = rules.key_options(self.renewal(wish={"csr": "a CSR"}, private_key_path="/key"), True)
        assert options == {"private_key_path": "/etc/certs/www/pending/privkey.pem", "remove_request": True}

    def test_the_key_of_record_is_that_in_current(self) -> None:
        current = {"private_key_path": "/etc/certs/www/current/privkey.pem"}
        assert rules.key_options(None, True) == {}
        assert rules.key_options(self.renewal("rest", private_key_path="/key"), False) == current
        assert rules.key_options(self.renewal("take"), True) == current
        assert rules.key_options(self.renewal("take", private_key_path="/key"), True) == {}
        combined = rules.key_options(self.renewal("rest", files=["combined"]), False)
        assert combined == {"private_key_path": "/etc/certs/www/current/combined.pem"}

    def test_a_placeholder_may_have_the_key_of_the_request(self) -> None:
        renewal = self.renewal(wish={"csr": "a CSR"})
        assert rules.placeholder_key(renewal, False) == {"private_key_path": "/etc/certs/www/pending/privkey.pem"}
        assert rules.placeholder_key(renewal, True) == rules.placeholder_key(None, False) == {}
        assert rules.placeholder_key(self.renewal(private_key_path="/key"), False) == {}

    @pytest.mark.parametrize(
        ("ends", "certificate", "expected"),
        [
            ("2027-03-01T00:00:00Z", IN_SERVICE, None),
            ("2026-05-20T00:00:00Z", IN_SERVICE, "renewal after the next one"),
            ("2026-04-20T00:00:00Z", IN_SERVICE, "next renewal"),
            ("2026-04-20T00:00:00Z", {"certificate": "a PEM"}, "next renewal"),  # collected for another batch
            ("2026-03-20T00:00:00Z", IN_SERVICE, "so soon that it gives no further certificate"),
            (None, IN_SERVICE, None),
        ],
    )
    def test_the_warning_before_an_order_ends(self, ends: str | None, certificate: Data, expected: str | None) -> None:
        order = {"provider": "digicert", "order_id": "7", "coverage": {"ends": ends}, "certificate": IN_SERVICE}
        found = rules.coverage_ends(self.renewal(), order, certificate, BEGIN)
        assert [warning.startswith("digicert order 7: ") for warning in found] == ([True] if expected else [])
        assert expected is None or expected in found[0]

    def test_a_certificate_too_short_for_the_rule_of_the_host_is_a_warning_and_goes_into_service(self) -> None:
        """Towards its end an order gives shorter ones."""
        order = {"provider": "digicert", "order_id": "7", "coverage": {"ends": "2026-04-15T00:00:00Z"}}
        renewal = self.renewal() | {"remaining": "50d"}
        (found,) = rules.coverage_ends(renewal, order, IN_SERVICE, BEGIN)
        assert found.startswith("digicert order 7: remaining is 50d, but the whole lifetime is 47 days")

    def test_no_warning_where_the_role_does_not_renew_or_asks_nobody(self) -> None:
        assert rules.coverage_ends(self.renewal(), {}, IN_SERVICE, BEGIN) == []
        order = {"coverage": {"ends": "2026-03-02T00:00:00Z"}, "certificate": IN_SERVICE}
        assert rules.coverage_ends(None, order, IN_SERVICE, BEGIN) == []

    def test_when_the_key_that_is_given_has_to_be_there(self) -> None:
        assert rules.needs_given_key(self.renewal("take"), NOTHING) is True
        assert rules.needs_given_key(self.renewal("take"), IN_SERVICE) is False
        assert rules.needs_given_key(self.renewal("request"), NOTHING) is False


def test_a_host_that_asks_alone_supersedes_nothing() -> None:
    assert rules.superseded_serials([{"renews": None}], {}) == {}
    assert rules.superseded_serials([{"renews": {"order_id": "1"}, "in_service": "A1"}], {}) == {}
