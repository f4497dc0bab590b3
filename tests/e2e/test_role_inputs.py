# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role reads, and when: earlier facts, environments, modes, misspelled variables; and what it prints."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible.release import __version__
from ansible_runs import TREE, Run, run_playbook
from fleet import Fleet

ROLE = "certops.issuance.certificate"


def play(*tasks: dict[str, t.Any], **keywords: t.Any) -> list[t.Any]:
    """One play on all hosts."""
    return [{"name": "Play", "hosts": "all", "gather_facts": False, "tasks": list(tasks), **keywords}]


def role(part: str = "main", **keywords: t.Any) -> dict[str, t.Any]:
    """A task that includes a part of the role."""
    return {"name": f"Include {part}", "ansible.builtin.include_role": {"name": ROLE, "tasks_from": part}, **keywords}


REPORT = "Report what the role left"


def rescued(*tasks: dict[str, t.Any]) -> dict[str, t.Any]:
    """These tasks, with the fact certificate_failure reported where they fail."""
    report = {
        "name": REPORT,
        "ansible.builtin.debug": {"msg": "{{ certificate_failure | to_json }}"},
    }
    return {"name": "Try", "block": list(tasks), "rescue": [report]}


class TestInputs:
    """Variables of the role that are made of what an earlier run has left."""

    @pytest.mark.slow
    def test_orders_that_status_has_found_are_waited_for(self, fleet: Fleet) -> None:
        bad = fleet.order("sectigo", "bad.example.org", "rejected", after={"validating": 0.0})
        fleet.host("web0", bad)
        orders = {"certificate_order_ids": "{{ certificate_orders | map(attribute='order_id') }}"}
        run = fleet.run(play=play(role("status"), role("wait", vars=orders)))
        assert f"sectigo order {bad['order_id']}: " in run.failed["web0"], run.output
        assert run.code == 2

    @pytest.mark.slow
    def test_the_certificate_of_an_earlier_run_is_superseded(self, fleet: Fleet) -> None:
        fleet.host("web0", fleet.order("digicert", "www.example.org", "issued"))
        superseded = {
            "certificate_superseded_serial_number": "{{ certificate_result.serial_number | default('') }}",
            "certificate_wait_timeout": 0,
        }
        run = fleet.run(play=play(role(), role(vars=superseded)))
        assert "the reissue is not there yet" in run.failed["web0"], run.output

    @pytest.mark.slow
    def test_the_failure_has_the_order_that_was_meant(self, fleet: Fleet) -> None:
        order = fleet.order("digicert", "www.example.org", "issued")
        other = fleet.order("digicert", "other.example.org", "issued")
        fleet.host("web0", order)
        again = {"certificate_order_id": "{{ certificate_order.order_id }}", "certificate_reload_commands": ["false"]}
        again["certificate_private_key_path"] = other["key"]
        run = fleet.run(play=play(role(), rescued(role(vars=again))))
        assert run.reported()["web0"]["order_id"] == order["order_id"], run.output
        assert run.reported()["web0"]["error_kind"] == "key_mismatch", run.output

    @pytest.mark.slow
    def test_hosts_whose_credentials_come_from_a_templated_environment_are_accounts_of_their_own(
        self, fleet: Fleet
    ) -> None:
        other = fleet.sandbox.account("digicert", name="digicert_other")
        for number, account in enumerate([None, other["name"]]):
            order = fleet.order("digicert", f"www{number}.example.org", "issued", account=account)
            fleet.host(f"web{number}", order)
            fleet.hosts[f"web{number}"]["key_of_the_api"] = fleet.hosts[f"web{number}"].pop("certificate_api_key")
        environment = {"DIGICERT_API_KEY": "{{ key_of_the_api }}"}
        run = fleet.run(play=play(role(), environment=environment))
        fleet.assert_all_served(run)
        assert run.hosts("Wait for all orders") == ["web0", "web1"], run.output

    @pytest.mark.parametrize(
        ("wrong", "right"),
        [
            ("certificate_reload_command", "certificate_reload_commands"),
            ("certificate_timeout", "certificate_wait_timeout"),
            ("certificate_order_ID", "certificate_order_id"),
        ],
    )
    def test_a_variable_that_is_nearly_right_fails(self, fleet: Fleet, wrong: str, right: str) -> None:
        fleet.host("web0", fleet.order("digicert", "www.example.org", "issued"))
        fleet.hosts["web0"].update({wrong: ["true"], "certificate_requests": []})
        run = fleet.run()
        assert f"there is no variable {wrong}; did you mean " in run.failed["web0"], run.output
        assert right in run.failed["web0"]
        assert fleet.sandbox.summary()["requests"] == 0

    @pytest.mark.slow
    def test_the_playbook_status_refuses_a_variable_that_is_nearly_right(self, fleet: Fleet) -> None:
        fleet.host("web0", fleet.order("digicert", "www.example.org", "issued"))
        inventory = {"all": {"hosts": fleet.hosts}}
        arguments = ("-e", "status_csv_fil=orders.csv")
        run = run_playbook(TREE / "playbooks/status.yml", fleet.folder, *arguments, inventory=inventory)
        assert run.code == 2
        assert "did you mean status_csv_file?" in run.output


class TestModes:
    """The mode of the task decides, not that of the command line."""

    def test_a_role_in_check_mode_defers(self, fleet: Fleet) -> None:
        fleet.host("web0", fleet.order("digicert", "late.example.org"))
        included = {"name": ROLE, "apply": {"check_mode": True}}
        run = fleet.run(play=play({"name": "Include", "ansible.builtin.include_role": included}))
        assert run.failed == {}, run.output
        assert "would wait for digicert order" in run.output

    @pytest.mark.slow
    def test_a_role_that_is_not_in_check_mode_waits_under_check(self, fleet: Fleet) -> None:
        fleet.host("web0", fleet.order("digicert", "late.example.org"), wait_timeout=1)
        included = {"name": ROLE, "tasks_from": "wait", "apply": {"check_mode": False}}
        orders = {"certificate_order_ids": ["{{ certificate_order_id }}"]}
        run = fleet.run(
            "--check", play=play({"name": "Include", "ansible.builtin.include_role": included, "vars": orders})
        )
        assert "not there after" in run.failed["web0"], run.output


class TestFailures:
    """The fact certificate_failure is set wherever the role was not done."""

    @pytest.mark.slow
    def test_an_unreachable_host_that_is_ignored(self, fleet: Fleet) -> None:
        order = fleet.order("digicert", "www.example.org", "issued")
        fleet.host("web0", order)
        fleet.hosts["web0"].update(ansible_connection="ssh", ansible_host="127.0.0.1", ansible_port=1)
        run = fleet.run(play=play(rescued(role()), ignore_unreachable=True))
        failure = run.reported()["web0"]
        assert "127.0.0.1" in failure["msg"], run.output
        assert (failure["order_id"], failure["provider"]) == (order["order_id"], "digicert")

    @pytest.mark.slow
    def test_a_run_that_begins_in_the_middle_of_the_role(self, fleet: Fleet) -> None:
        fleet.host("web0", fleet.order("digicert", "www.example.org", "issued"))
        imported = {"name": "Import", "ansible.builtin.import_role": {"name": ROLE}}
        for task in ("Wait for all orders of this account", "Put the certificate into service, verified or undone"):
            run = fleet.run("--start-at-task", f"{ROLE} : {task}", play=play(rescued(imported)))
            assert run.reported()["web0"]["msg"], run.output
            assert fleet.serial("web0") is None

    @pytest.mark.slow
    def test_a_condition_that_cannot_be_evaluated_is_the_only_error(self, fleet: Fleet) -> None:
        fleet.host("web0", fleet.order("digicert", "www.example.org", "issued"))
        fleet.hosts["web0"]["site"] = {}
        imported = {"name": "Import", "ansible.builtin.import_role": {"name": ROLE}, "when": "site.enabled"}
        run = fleet.run(play=play(imported))
        assert list(run.failed) == ["web0"], run.output
        assert run.output.count("FAILED! =>") == 1, run.output

    def test_a_failed_host_says_why_once(self, fleet: Fleet) -> None:
        bad = fleet.order("sectigo", "bad.example.org", "rejected", after={"validating": 0.0})
        fleet.host("web0", bad)
        run = fleet.run(play=play(role(), {"name": "Go on", "ansible.builtin.meta": "noop"}))
        fatal = [line for line in run.output.splitlines() if line.startswith("fatal: [web0]")]
        assert len(fatal) == 1, run.output
        shown = set(json.loads(fatal[0].partition("=> ")[2]))
        if tuple(int(part) for part in __version__.split(".")[:2]) == (2, 18):
            shown -= {"alone", "deferred", "order", "orders"}
        assert shown <= {"changed", "error_kind", "msg", "order_id", "provider"}

    @pytest.mark.slow
    def test_the_orders_of_a_failed_host_are_a_fact(self, fleet: Fleet) -> None:
        bad = fleet.order("sectigo", "bad.example.org", "rejected", after={"validating": 0.0})
        fleet.host("web0", bad)
        report = {
            "name": REPORT,
            "ansible.builtin.debug": {"msg": "{{ [certificate_order.status, certificate_orders | length] | to_json }}"},
        }
        run = fleet.run(play=play({"name": "Try", "block": [role()], "rescue": [report]}))
        assert run.reported()["web0"] == ["rejected", 1], run.output


def test_a_run_with_nothing_to_do_prints_six_tasks_a_host(fleet: Fleet) -> None:
    hosts = 3
    order = fleet.order("digicert", "www.example.org", "issued")
    for number in range(hosts):
        fleet.host(f"web{number}", order)
    imported = play({"name": "Import", "ansible.builtin.import_role": {"name": ROLE}})
    fleet.assert_all_served(fleet.run(play=imported))
    run = fleet.run(play=imported)
    assert run.changed == [], run.output
    lines = run.output.splitlines()
    # A heading of two lines for the play, each task and the recap; then a line a host in each task and in the recap.
    # The two places for domain control validation are three lines each, however many hosts do not use it.
    unused = sum("dcv_unused.yml" in line for line in lines)
    assert unused == 2, run.output
    assert len(lines) <= 2 + 6 * (2 + hosts) + 2 * 3 + 2 + hosts + 1 + progress_lines(run), run.output


def progress_lines(run: Run) -> int:
    """Lines of progress: one for each order that has moved on."""
    return sum(line.startswith("order ") for line in run.output.splitlines())
