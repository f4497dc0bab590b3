# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a CA does not see the evidence: looks at DNS and web servers as a CA looks. Knows no account.

Private to this collection.
"""
