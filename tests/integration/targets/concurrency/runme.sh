#!/usr/bin/env bash
# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

set -eu

exec "${ANSIBLE_TEST_PYTHON_INTERPRETER:-python3}" together.py -v "$@"
