# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The attributes of the modules."""

from __future__ import annotations


class ModuleDocFragment:
    """Descriptions of the attributes; each module says how far it supports them."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and return what it would do without changing anything.
  diff_mode:
    description: Returns what has changed, or would change in check mode, when in diff mode.
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second run changes nothing.
  platform:
    description: Target operating systems.
"""

    # Modules that run on targets.
    DEPLOYMENT = r"""
options: {}
attributes:
  platform:
    platforms: posix
  async:
    support: full
    description: Supports being used with the C(async) keyword.
"""

    # The order modules, which only read. No file beside this one may have this name.
    ORDER_MODULES = r"""
options: {}
attributes:
  check_mode:
    support: full
  diff_mode:
    support: N/A
    details:
      - Nothing is changed by this module.
  idempotent:
    support: full
  platform:
    support: full
    platforms: posix
  async:
    support: full
    description: Supports being used with the C(async) keyword.
  action_group:
    support: full
    description: Use C(group/certops.issuance.providers) in C(module_defaults) to set the account options once.
    membership:
      - certops.issuance.providers
"""
