#!/bin/sh
# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs nox in .venv, and makes .venv first where it is missing or its requirement files have changed: nox.sh ARGUMENT...
# An interpreter manager's shim may stand for a Python that is not there, so each candidate is run.

set -eu
cd -- "$(dirname -- "$0")/../.."
home=${HOME:-/nonexistent}
requirements="requirements.txt tests/requirements.txt tests/unit/requirements.txt tests/integration/requirements.txt"

works() { # runs, is new enough, and has the modules
    "$1" -I -c "import sys, $2; sys.exit(sys.version_info < (3, 11))" >/dev/null 2>&1
}

# shellcheck disable=SC2086 # the list is meant to be split
wanted=$(cat $requirements)
if ! works .venv/bin/python pip || [ "$(cat .venv/requirements 2>/dev/null)" != "$wanted" ]; then
    if [ -e .venv ] && [ ! -e .venv/pyvenv.cfg ]; then
        echo ".venv is no virtual environment. Move it and try again." >&2
        exit 1
    fi
    if ! works .venv/bin/python pip; then
        # The best known version first, wherever it is.
        for version in 3.13 3.12 3.14 3.11 3.15 3; do
            for python in "python$version" \
                "${PYENV_ROOT:-$home/.pyenv}/versions/$version".*/bin/python3 \
                "${ASDF_DATA_DIR:-$home/.asdf}/installs/python/$version".*/bin/python3 \
                "${MISE_DATA_DIR:-$home/.local/share/mise}/installs/python/$version".*/bin/python3 \
                "${UV_PYTHON_INSTALL_DIR:-$home/.local/share/uv/python}"/*-"$version".*/bin/python3
            do
                works "$python" "venv, ensurepip" && break 2
            done
            python=none
        done
        if [ "$python" = none ]; then
            echo "No Python 3.11 or newer with the modules venv and ensurepip was found on PATH, nor where pyenv, asdf," >&2
            echo "mise or uv keep it. Install one (Debian, Ubuntu: apt install python3 python3-venv) and try again." >&2
            exit 1
        fi
        echo "Making .venv with $("$python" -c 'import sys; print(sys.executable)')" >&2
        rm -rf .venv
        "$python" -m venv .venv
    fi
    echo "Installing tests/requirements.txt into .venv" >&2
    .venv/bin/python -m pip install --quiet --quiet --no-input --disable-pip-version-check -r tests/requirements.txt >&2 || {
        echo "The packages could not be installed. The package index must be reachable, as pip is configured here." >&2
        exit 1
    }
    echo "$wanted" >.venv/requirements
fi
exec .venv/bin/python -m nox "$@"
