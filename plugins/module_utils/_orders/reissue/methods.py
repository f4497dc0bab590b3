# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which method of domain control validation a request for a reissue names.

Private to this collection.
"""

from __future__ import annotations

import typing as t

from ..errors import InvalidRequest


def choose_dcv_method(methods: t.Mapping[str, str], wanted: str | None, present: str | None, label: str) -> str:
    """The provider's word for the DCV method of a request.

    Arguments:
        methods: our words to the provider's.
        wanted: one of our words, or None for the method of the order.
        present: the provider's word for the method of the order, where it is known.
        label: the provider's name.

    Raises:
        InvalidRequest: with method_unsupported as its reason.
    """
    chosen = present if wanted is None else methods.get(wanted)
    if chosen in methods.values():
        return str(chosen)
    what = "the DCV method of the order cannot be used again" if wanted is None else f"there is no {wanted} here"
    error = InvalidRequest(f"{what}; set dcv_method to one that {label} has for this call: {', '.join(methods)}")
    error.details["reason"] = "method_unsupported"
    raise error
