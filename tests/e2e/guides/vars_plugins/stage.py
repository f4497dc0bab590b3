# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets the role poll every second where guides are run; every other value is the guide's or the default."""

from __future__ import annotations

import typing as t

from ansible.plugins.vars import BaseVarsPlugin


class VarsModule(BaseVarsPlugin):
    """Gives every host the variable."""

    def get_vars(self, loader: t.Any, path: str, entities: t.Any, cache: bool = True) -> dict[str, t.Any]:
        """The variables of any hosts and groups."""
        super().get_vars(loader, path, entities)
        return {"certificate_poll_interval": 1}
