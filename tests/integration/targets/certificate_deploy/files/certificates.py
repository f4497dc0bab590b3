# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the certificates that an integration target needs into a folder: ``certificates.py FOLDER NAME...``.

root.pem, chain.pem, key.pem, other_key.pem, encrypted_key.pem, and leaves for the names: 1.pem, 2.pem, 3.pem (each
issued a day after the one before) and expired.pem.
"""

from __future__ import annotations

import pathlib
import sys

_UNIT_TESTS = pathlib.Path(__file__).resolve().parents[4] / "unit/plugins/module_utils/_deployment"
sys.path.insert(0, str(_UNIT_TESTS))

import pki  # noqa: E402


def main() -> None:
    """Write the files."""
    folder, names = pathlib.Path(sys.argv[1]), sys.argv[2:]
    folder.mkdir(parents=True, exist_ok=True)
    world = pki.World()
    texts = {
        "root": world.root.pem,
        "chain": world.intermediate.pem,
        "key": world.key_pem,
        "other_key": pki.key_pem(pki.make_key()),
        "encrypted_key": pki.key_pem(world.key, password="not to be asked for"),
        "expired": pki.pem(world.issue(*names, not_before=pki.NOW - 9 * pki.DAY, not_after=pki.NOW - pki.DAY)),
    }
    for number in (1, 2, 3):
        texts[str(number)] = pki.pem(world.issue(*names, not_before=pki.NOW - (5 - number) * pki.DAY))
    for name, text in texts.items():
        (folder / (name + ".pem")).write_text(text)


if __name__ == "__main__":
    main()
