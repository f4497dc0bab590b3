#!/bin/sh
# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Finds a Python that can start the tools of this tree, and hands over to environment.py:
#   run.sh [--with NAME] COMMAND [ARGUMENT...]
# An interpreter manager's shim may stand for a Python that is not there, so each candidate is run and asked.

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 1
managers=${PYENV_ROOT:-${HOME:-/nonexistent}/.pyenv}
data=${XDG_DATA_HOME:-${HOME:-/nonexistent}/.local/share}
seen=

for candidate in python3.13 python3.12 python3.14 python3.11 python3 python \
    "$managers"/versions/3.1[1-9]*/bin/python3 \
    "${ASDF_DATA_DIR:-${HOME:-/nonexistent}/.asdf}"/installs/python/3.1[1-9]*/bin/python3 \
    "${MISE_DATA_DIR:-$data/mise}"/installs/python/3.1[1-9]*/bin/python3 \
    "${UV_PYTHON_INSTALL_DIR:-$data/uv/python}"/*/bin/python3
do
    command -v "$candidate" >/dev/null 2>&1 || continue
    version=$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2]); sys.exit(sys.version_info < (3, 11))' 2>/dev/null) &&
        exec "$candidate" "$here/environment.py" "$@"
    [ -z "$version" ] || seen="$seen $candidate ($version)"
done

echo "No Python 3.11 or newer was found on PATH, and none that pyenv, asdf, mise or uv keep." >&2
[ -z "$seen" ] || echo "Found, but too old:$seen" >&2
echo "Install one (Debian, Ubuntu: apt install python3 python3-venv; Fedora: dnf install python3) and run make again." >&2
exit 1
