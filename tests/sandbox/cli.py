# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command ``python tests/sandbox``."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import json
import os
import shlex
import shutil
import signal
import sys
import tempfile
import typing as t
from pathlib import Path

from . import control
from .server import Server
from .world import World

#: Orders that a start by hand has ready, so that the printed commands show something.
FIRST_SCENARIOS = ("dv", "ov", "issued", "rejected")


def parse(arguments: t.Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="sandbox", description="Four certificate APIs on one loopback port.")
    parser.add_argument("--port", type=int, default=0, help="port for all four (default: a free one)")
    parser.add_argument("--state-dir", type=Path, help="where CA and keys are kept (default: temporary, removed)")
    parser.add_argument("--ready-file", type=Path, help="JSON written when the sandbox answers; prints nothing then")
    parser.add_argument("--rate", type=float, default=1.0, help="virtual seconds in a real second (default: 1)")
    parser.add_argument("--parent-pid", type=int, help="stop when this process has ended")
    parser.add_argument("--internet", action="store_true", help="also DNS and web servers, for DCV that looks there")
    parser.add_argument("--plain-http", action="store_true", help="also listen without TLS, for redirects")
    parser.add_argument("--bad-tls", action="store_true", help="also ports with wrong server certificates")
    return parser.parse_args(arguments)


def main(arguments: t.Sequence[str] | None = None) -> int:
    """Run until stopped; return the exit status."""
    options = parse(arguments)
    folder = options.state_dir or Path(tempfile.mkdtemp(prefix="certops-sandbox-"))
    try:
        return asyncio.run(_run(options, folder))
    except OSError as exc:
        if exc.errno != errno.EADDRINUSE:
            raise
        print(f"sandbox: port {options.port} is in use", file=sys.stderr)
        return 1
    finally:
        if options.state_dir is None:
            shutil.rmtree(folder, ignore_errors=True)


async def _run(options: argparse.Namespace, folder: Path) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    world = World(folder, options.rate)
    server = Server(world)
    stack = contextlib.ExitStack()
    if options.internet:
        from .internet.service import InternetService  # needs dnspython

        world.open(stack.enter_context(InternetService(world.clock.now)))
    watcher = asyncio.create_task(_outlive_nobody(options.parent_pid, stop)) if options.parent_pid else None
    try:
        await server.start(options.port, plain=options.plain_http, bad_tls=options.bad_tls)
        if options.ready_file:
            _write(options.ready_file, control.info(server))
        else:
            print(_greeting(server), flush=True)
        await stop.wait()
    finally:
        if watcher:
            watcher.cancel()
        await server.stop()
        stack.close()
        if options.ready_file:
            options.ready_file.unlink(missing_ok=True)
    return 0


def _write(path: Path, data: dict[str, t.Any]) -> None:
    """Whole or not at all, and for its owner only: it holds the accounts' credentials."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.touch(mode=0o600)
    partial.write_text(json.dumps(data, indent=1), encoding="utf-8")
    os.replace(partial, path)


async def _outlive_nobody(pid: int, stop: asyncio.Event) -> None:
    """Set ``stop`` when the process has ended. A direct parent that is gone is noticed even as a zombie."""
    direct = os.getppid() == pid
    while True:
        gone = os.getppid() != pid if direct else False
        if not direct:
            with contextlib.suppress(PermissionError):
                try:
                    os.kill(pid, 0)
                except ProcessLookupError:
                    gone = True
        if gone:
            stop.set()
            return
        await asyncio.sleep(0.25)


def _greeting(server: Server) -> str:
    """What a person needs: URLs, CA file and commands to paste."""
    world, data = server.world, control.info(server)
    lines = ["Sandbox of the four certificate APIs. It ends with Ctrl-C.", "", "Base URLs:"]
    lines += [f"  {name:<12} {url}" for name, url in data["base_urls"].items()]
    lines += ["", f"CA file:       {data['ca_file']}"]
    lines += [f"Control API:   {data['control_url']}/  (see tests/sandbox/README.md)", ""]
    shown = set()
    for account in data["accounts"]:
        if account["provider"] in shown:
            continue
        shown.add(account["provider"])
        dialect = world.dialects[account["provider"]]
        lines.append(f"{account['provider']}: orders that are " + ", ".join(FIRST_SCENARIOS))
        owner, orders = world.accounts.get(account["name"]), []
        for scenario in FIRST_SCENARIOS:
            names = [f"{scenario}.example.org", f"www.{scenario}.example.org"]
            orders.append(dialect.create(owner, names, scenario=scenario).order_id)
        options = {**account["options"], "order_ids": ",".join(orders)}
        text = shlex.quote(" ".join(f"{name}={value}" for name, value in options.items()))
        lines += [f"  {_ansible()} localhost -m certops.issuance.order_info -a {text}", ""]
    return "\n".join(lines)


def _ansible() -> str:
    """The command ``ansible`` for any shell, also one without this environment and the collection."""
    program = Path(sys.executable).with_name("ansible")
    paths = os.environ.get("ANSIBLE_COLLECTIONS_PATH")
    words = [f"ANSIBLE_COLLECTIONS_PATH={shlex.quote(paths)}"] if paths else []
    return " ".join([*words, shlex.quote(str(program)) if program.exists() else "ansible"])
