# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The coverage-guided fuzzer, run by hand: ``fuzz.py PROVIDER|chain FOLDER [libFuzzer options]``. See README.md."""

from __future__ import annotations

import json
import runpy
import sys
import typing as t
from pathlib import Path

import atheris

TREE = Path(__file__).resolve().parents[2]
#: Between the bodies of one input, since every question of a provider has an answer of its own.
SEPARATOR = b"\n%%%%\n"


def targets() -> dict[str, tuple[t.Callable[[bytes], None], list[bytes]]]:
    """What can be fuzzed: by name, what takes an input, and the inputs to begin with."""
    # The collection is importable once the loader of the unit tests is installed.
    runpy.run_path(str(TREE / "tests/unit/conftest.py"))
    from ansible_collections.certops.issuance.plugins.module_utils._orders.certificates import chain
    from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import OrderError
    from ansible_collections.certops.issuance.tests.unit.fuzz.invariants import ask_everything
    from ansible_collections.certops.issuance.tests.unit.fuzz.world import BODIES, QUESTIONS, Answers, originals

    def for_provider(provider: str) -> t.Callable[[bytes], None]:
        questions = [question for question, _part, _pattern in QUESTIONS[provider]]

        def one_input(data: bytes) -> None:
            bodies = data.split(SEPARATOR)
            bodies += [b""] * (len(questions) - len(bodies))
            ask_everything(Answers(provider, dict(zip(questions, bodies, strict=False))))

        return one_input

    def for_chain(data: bytes) -> None:
        texts = [part.decode("latin-1") for part in data.split(SEPARATOR)]
        chain.describe_certificate(texts[0])
        try:
            bundle = chain.assemble(texts[0], texts[1:])
        except OrderError:
            return
        if not bundle.certificate.startswith("-----BEGIN CERTIFICATE-----"):
            raise AssertionError(bundle)

    def seeds(provider: str) -> list[bytes]:
        usual = [originals(provider, pattern) for _question, _part, pattern in QUESTIONS[provider]]
        found = []
        for place, bodies in enumerate(usual):
            for body in bodies:
                found.append(SEPARATOR.join(body if at == place else others[0] for at, others in enumerate(usual)))
        for file in sorted((TREE / "tests/unit/fuzz/corpus").glob(provider + "_*.json")):
            case = json.loads(file.read_text(encoding="utf-8"))["bodies"]
            names = [question for question, _part, _pattern in QUESTIONS[provider]]
            pairs = zip(names, usual, strict=True)
            # Of a credential that is in an input, the fuzzer would make what nobody could tell for one.
            if "CREDENTIAL" not in json.dumps(case):
                found.append(
                    SEPARATOR.join(case[name].encode() if name in case else others[0] for name, others in pairs)
                )
        return found

    found: dict[str, tuple[t.Callable[[bytes], None], list[bytes]]] = {
        provider: (for_provider(provider), seeds(provider)) for provider in QUESTIONS
    }
    pems = [file.read_bytes() for file in sorted((BODIES / "digicert/bodies").glob("*.pem"))]
    found["chain"] = (for_chain, [pem + SEPARATOR + pem for pem in pems])
    return found


def main() -> None:
    """Fuzz until something does not hold, or until libFuzzer has had enough."""
    known = targets()
    if len(sys.argv) < 3 or sys.argv[1] not in known:
        raise SystemExit(f"fuzz.py {'|'.join(known)} FOLDER [libFuzzer options]")
    name, folder = sys.argv[1], Path(sys.argv[2])
    one_input, beginnings = known[name]
    if not folder.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        for number, content in enumerate(beginnings):
            (folder / f"seed-{number}").write_bytes(content)
    # The loader of collections is none that atheris could hook, so what is loaded is instrumented afterwards.
    for module in [module for module in list(sys.modules.values()) if "certops" in (module.__name__ or "")]:
        for key, value in list(vars(module).items()):
            if callable(value) and getattr(value, "__module__", "") == module.__name__ and hasattr(value, "__code__"):
                setattr(module, key, atheris.instrument_func(value))
            elif isinstance(value, type) and value.__module__ == module.__name__:
                for method, function in list(vars(value).items()):
                    if hasattr(function, "__code__"):
                        setattr(value, method, atheris.instrument_func(function))
    atheris.Setup([sys.argv[0], str(folder), *sys.argv[3:]], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
