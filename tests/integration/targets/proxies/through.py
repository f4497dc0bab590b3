# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Through a real proxy, tinyproxy: plain, with a password, with a wrong one, gone, from options and environment."""

from __future__ import annotations

import os
import sys
import typing as t
import unittest
import unittest.mock
from pathlib import Path

_PATHS = os.environ.get("ANSIBLE_COLLECTIONS_PATH", "").split(os.pathsep)
_TREES = [Path(path, "ansible_collections/certops/issuance") for path in _PATHS]
# ansible-test runs a copy of this folder that stands elsewhere.
_TREE = next((tree for tree in _TREES if (tree / "galaxy.yml").exists()), Path(__file__).resolve().parents[4])
sys.path.insert(0, str(_TREE / "tests/integration/targets/setup_hostile/files"))

from ansible.plugins.loader import init_plugin_loader
from harness import PROVIDERS, Proxy, Sandbox, scratch

init_plugin_loader([str(_TREE.parents[2])])

from ansible_collections.certops.issuance.plugins.module_utils._orders.operations import operations

#: As it stands in a URL, and as it is meant. tinyproxy takes no character that had to be encoded.
PASSWORD = "pr0xy%2D" + os.urandom(10).hex()
BARE_PASSWORD = PASSWORD.replace("%2D", "-")


@unittest.skipIf(Proxy.path() is None, "not tested: tinyproxy is not installed")
class Through(unittest.TestCase):
    """One sandbox and two proxies for all."""

    sandbox: t.ClassVar[Sandbox]
    plain: t.ClassVar[Proxy]
    guarded: t.ClassVar[Proxy]

    @classmethod
    def setUpClass(cls) -> None:
        """Start the sandbox and the proxies."""
        folder = cls.enterClassContext(scratch("proxies"))
        (folder / "sandbox").mkdir()
        cls.sandbox = cls.enterClassContext(Sandbox.start(folder=folder / "sandbox", rate=0))
        cls.enterClassContext(unittest.mock.patch("tempfile.tempdir", str(folder)))
        cls.plain = cls.enterClassContext(Proxy(folder / "plain"))
        cls.guarded = cls.enterClassContext(Proxy(folder / "guarded", BARE_PASSWORD))

    def ask(self, provider: str, environment: dict[str, str] | None = None, **options: t.Any) -> dict[str, t.Any]:
        """The result of order_wait for an issued order of a new account."""
        account = self.sandbox.account(provider)
        order = self.sandbox.order(provider, ["www.example.org"], "issued", account=account["name"])
        params = {name: option.get("default") for name, option in operations.ORDER_WAIT_OPTIONS.items()}
        params.update(account["options"], order_ids=[order["order_id"]], request_timeout=5, timeout=3, poll_interval=1)
        params.update(options)
        result = operations.perform(operations.order_wait, params, operations.Runtime(environment=environment or {}))
        for secret in (PASSWORD, BARE_PASSWORD):
            self.assertNotIn(secret, str(result))
        return result

    def url(self, password: str) -> str:
        """The URL of the guarded proxy with a password."""
        return f"http://{Proxy.USER}:{password}@127.0.0.1:{self.guarded.port}"

    def test_every_provider_through_every_proxy(self) -> None:
        for provider in PROVIDERS:
            for proxy, url in ((self.plain, self.plain.url), (self.guarded, self.url(PASSWORD))):
                for how in ("option", "https_proxy", "ALL_PROXY"):
                    with self.subTest(provider=provider, how=how, guarded=proxy is self.guarded):
                        before = proxy.log.count("CONNECT")
                        given = {"proxy": url} if how == "option" else {"environment": {how: url}}
                        result = self.ask(provider, **given)
                        self.assertTrue(result["orders"][0]["issued"], result)
                        self.assertGreater(proxy.log.count("CONNECT"), before, "the proxy was not used")
        for log in (self.plain.log, self.guarded.log):
            # What goes through a tunnel is nothing that a proxy could read.
            for word in ("auth_key", "/orders/", "/execute/", "/products/"):
                self.assertNotIn(word, log)

    def test_a_wrong_password_is_told_and_not_tried_again(self) -> None:
        for provider in PROVIDERS:
            for url in (self.url("wrong"), self.guarded.plain_url):
                with self.subTest(provider=provider, url=url):
                    result = self.ask(provider, proxy=url)
                    self.assertEqual(result["error_kind"], "authentication", result)
                    self.assertIn("proxy", result["msg"])
                    self.assertEqual(result["requests_sent"], 1, result)

    def test_a_proxy_that_is_gone_is_waited_for(self) -> None:
        for provider in PROVIDERS:
            result = self.ask(provider, proxy=f"http://{Proxy.USER}:{PASSWORD}@127.0.0.1:1")
            self.assertEqual(result["error_kind"], "timed_out", result)
            self.assertIn("proxy", result["msg"])

    def test_what_no_proxy_names_goes_direct(self) -> None:
        for provider in PROVIDERS:
            before = self.plain.log
            environment = {"https_proxy": self.plain.url, "no_proxy": "127.0.0.1"}
            self.assertTrue(self.ask(provider, environment=environment)["orders"][0]["issued"])
            self.assertEqual(self.plain.log, before)


if __name__ == "__main__":
    unittest.main()
