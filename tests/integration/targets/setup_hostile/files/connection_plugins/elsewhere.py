# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection to this machine that is not called local, so that modules are transferred as to a bastion."""

from __future__ import annotations

DOCUMENTATION = """
name: elsewhere
short_description: This machine, as if it were another one
description: The connection local under another name.
author: certops.issuance contributors
extends_documentation_fragment: [connection_pipelining]
"""

from ansible.plugins.connection.local import Connection as LocalConnection


class Connection(LocalConnection):
    """See DOCUMENTATION."""

    transport = "elsewhere"
