# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long Hypothesis looks: at the same few examples in each run; with HYPOTHESIS_PROFILE=long, at many new ones."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_CHECKS = [
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.large_base_example,
    HealthCheck.filter_too_much,
]
settings.register_profile(
    "certops", deadline=None, derandomize=True, max_examples=60, database=None, suppress_health_check=_CHECKS
)
_MANY = int(os.environ.get("FUZZ_EXAMPLES", "20000"))
settings.register_profile("long", deadline=None, max_examples=_MANY, database=None, suppress_health_check=_CHECKS)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "certops"))
