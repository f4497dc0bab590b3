# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A strict local stand-in for the four certificate APIs. See README.md in this folder."""
