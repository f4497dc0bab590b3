# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the order modules run, in words that all of them share."""

from __future__ import annotations


class ModuleDocFragment:
    """Notes on where the order modules run."""

    DOCUMENTATION = r"""
options: {}
notes:
  - >-
    On a local connection (C(connection: local), C(delegate_to: localhost), C(ansible localhost)) this runs in Ansible's
    own process. It uses Ansible's Python and its C(requests) library there, and C(become) has no effect. With C(async),
    or delegated to another host such as a bastion, it runs as a module where the task points. It needs C(requests) on
    that host and shows no progress lines.
"""
