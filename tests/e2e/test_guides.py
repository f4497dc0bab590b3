# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs every command in the README and the guides against the sandbox.

Each guide is one story in a folder of its own. Its hosts are folders on this machine, with a service each, and its
account is one of the sandbox. What the commands print is shown when a guide fails.

Words of the comments that steer the sandbox:

    order PROVIDER ID NAME... [scenario=…] [coverage=SECONDS] [host=…] [key=PATH] [csr=PATH]   places an order; files
                            go to each host named. with_csr=PATH is the CSR of the order, from the first host
    issue NAME host=HOST [kind=rsa] fullchain=PATH privkey=PATH [cert=PATH] [chain=PATH]      writes the files of
                            a new certificate, as another tool would
    advance SECONDS         lets time pass at the provider
    then advance SECONDS after NUMBER requests      the same, while the next command runs
    patch PROVIDER ID JSON  forces something upon an order
    fault JSON              injects a fault
    zone NAME HOST...       adds a DNS zone with these hosts to the small Internet, which is empty otherwise
    inventory NAME JSON     writes an inventory of these hosts with their variables
    host NAME               the host on which commands are run
    fails                   the next command ends with an error
    until TEXT              the next command runs until it prints this, and is then ended
    not run: REASON         the next command, or what it printed, is not run here
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import typing as t
from pathlib import Path

import guide_pages
import pytest
import yaml
from ansible_runs import TREE, program
from sandbox import authority
from sandbox.client import PROVIDERS, Sandbox, SandboxError
from sandbox.internet.service import InternetService
from services import PROGRAMS, Services

#: What takes the place of modules and settings where guides are run.
_STAND_INS = Path(__file__).with_name("guides")
#: Seconds that one block of commands may take on a busy machine.
_MAX_SECONDS = 300.0
#: Seconds that waits in guides take here instead of minutes and hours.
_WAIT = 5
#: Environment variables that are not named after provider and option.
_OTHER_VARIABLES = {"CPANEL_API_KEY": "CPANEL_API_TOKEN"}
#: Modules of other collections; they are not installed here, so their tasks are only read.
_FOREIGN_MODULES = re.compile(
    r"\b(?:amazon\.aws|azure\.azcollection|community\.general|google\.cloud)\.\w+(?=:$)", re.M
)
#: What differs from one run to the next: times, serial numbers, temporary names.
_VARIES = re.compile(
    r"\d{4}-\d\d-\d\d(?:T[\d:]+Z)?|\b\d\d:\d\d:\d\d\b|\b[0-9A-F]{16,}\b|\b(?:[0-9A-F]{2}:){3,}[0-9A-F]{2}\b"
    r"|\b\d+(?:\.\d+)?[smhd](?:\d+[smh])?\b"
)


#: Where the collection is published, beside Galaxy. Here it comes from this tree.
_REPOSITORY = "https://github.com/certops/issuance"


class Wrong(Exception):
    """A guide does not hold; the text says what."""


class Story:
    """One guide on its stage."""

    def __init__(
        self, guide: Path, folder: Path, sandbox: Sandbox, internet: InternetService, services: Services, tarball: Path
    ) -> None:
        self.guide = guide
        self.log: list[str] = []
        self._internet = internet
        self._folder = folder / "work"
        self._home = folder / "home"
        for path in (self._folder, self._home):
            path.mkdir()
        (self._home / ".vault-password").write_text("a password for this run\n", encoding="utf-8")
        self._sandbox = sandbox
        self._services = services
        self._tarball = tarball
        self._pieces = guide_pages.read(guide)
        self._hosts = ["localhost"]
        self._output = ""
        self._unused: dict[str, tuple[str, guide_pages.Piece]] = {}
        self._fails = self._not_run = False
        self._then: tuple[float, int] | None = None
        self._until = ""
        services.port("localhost")

    def run(self) -> None:
        """Go through the guide from top to bottom. Raises ``Wrong`` at the first thing that does not hold."""
        for piece in self._pieces:
            try:
                {
                    "sandbox": self._direct,
                    "file": self._write,
                    "commands": self._run,
                    "output": self._compare,
                    "note": self._look_at,
                }[piece.kind](piece)
            except Wrong as exc:
                raise Wrong(f"{self.guide.relative_to(TREE)}:{piece.line}: {exc}") from None
        for name, (play, piece) in self._unused.items():
            path = self._folder / f"check-{Path(name).name}"
            path.write_text(play, encoding="utf-8")
            self._run(piece._replace(text=f"ansible-playbook --syntax-check {path.name}\n"))

    # -- at the provider ----------------------------------------------------------------------------------------------

    def _direct(self, piece: guide_pages.Piece) -> None:
        word, _space, rest = piece.text.partition(" ")
        if word == "order":
            self._order(rest.split())
        elif word == "issue":
            self._issue(*rest.split())
        elif word == "advance":
            self._sandbox.advance(float(rest))
        elif word == "then":
            self._then = float(rest.split()[1]), int(rest.split()[3])
        elif word == "patch":
            provider, order_id, fields = rest.split(" ", 2)
            self._sandbox.patch_order(provider, order_id, **json.loads(fields))
        elif word == "fault":
            fault = json.loads(rest)
            self._sandbox.fault(fault.pop("kind"), **fault)
        elif word == "zone":
            name, *zone_hosts = rest.split()
            self._internet.add_zone(name, zone_hosts)
        elif word == "inventory":
            name, hosts = rest.split(" ", 1)
            self._write(piece._replace(kind="file", name=name, text=json.dumps({"all": {"hosts": json.loads(hosts)}})))
        elif word == "host":
            self._hosts = [rest]
            self._services.port(rest)
        elif word == "fails":
            self._fails = True
        elif word == "until":
            self._until = rest
        elif piece.text.startswith("not run: "):
            self._not_run = True
        else:
            raise Wrong(f"the sandbox does not know the word {word}")

    def _order(self, words: t.Sequence[str]) -> None:
        provider, order_id, *names = [word for word in words if "=" not in word]
        fields: dict[str, t.Any] = dict(word.split("=", 1) for word in words if "=" in word)
        fields.update({name: int(fields[name]) for name in ("coverage", "lifetime") if name in fields})
        hosts = fields.pop("host", "localhost").split(",")
        files = {field: fields.pop(name) for name, field in (("key", "private_key"), ("csr", "csr")) if name in fields}
        if "with_csr" in fields:
            given = self._services.root(hosts[0]) / fields.pop("with_csr").lstrip("/")
            fields["csr"] = given.read_text(encoding="utf-8")
        order = self._sandbox.order(provider, names, order_id=order_id, **fields)
        for field, name in files.items():
            for path in [self._services.root(host) / name.lstrip("/") for host in hosts]:
                path = path if name.startswith("/") else self._folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch(mode=0o600)
                path.write_text(order[field], encoding="utf-8")

    def _issue(self, name: str, *words: str) -> None:
        given = dict(word.split("=", 1) for word in words)
        ca = authority.Authority(Path(self._sandbox.ca_file).parent)
        key = authority.new_key(given.pop("kind", "ecdsa"))
        root, now = self._services.root(given.pop("host")), datetime.datetime.now(datetime.timezone.utc)
        leaf = ca.issue(
            key.public_key(), [name], int(now.timestamp() * 1e6), now - datetime.timedelta(hours=1),
            now + datetime.timedelta(days=90),
        )  # fmt: skip
        chain = "".join(map(authority.pem, ca.chain(leaf)))
        contents = {"cert": authority.pem(leaf), "chain": chain, "privkey": authority.key_pem(key)}
        contents["fullchain"] = contents["cert"] + chain
        for kind, file_name in given.items():
            path = root / file_name.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(contents[kind], encoding="ascii")

    # -- files and commands -------------------------------------------------------------------------------------------

    def _write(self, piece: guide_pages.Piece) -> None:
        path = self._folder / piece.name
        if path.suffix in (".yml", ".yaml") or path.name == "inventory":
            try:
                documents = list(yaml.load_all(piece.text, _Loader))
            except yaml.YAMLError as exc:
                raise Wrong(f"{piece.name} is no YAML: {exc}") from None
            if path.name.startswith("inventory"):
                for host in filter(None, _hosts(documents)):
                    self._services.port(host)
                    self._hosts = [host] if self._hosts == ["localhost"] else self._hosts
            self._note_play(piece, documents)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self._staged(piece.text, "{{ inventory_hostname }}"), encoding="utf-8")
        if path.name.endswith("gitlab-ci.yml") or ".github/workflows" in piece.name:
            for script in _scripts(documents[0]):
                self._run(piece._replace(kind="commands", text=script))

    def _note_play(self, piece: guide_pages.Piece, documents: t.Sequence[t.Any]) -> None:
        """Remember a playbook or a file of tasks: what no command runs is checked for its syntax in the end."""
        entries = [entry for data in documents if isinstance(data, list) for entry in data if isinstance(entry, dict)]
        if any({"hosts", "import_playbook"} & set(entry) for entry in entries):
            self._unused[piece.name] = f"- import_playbook: {piece.name}\n", piece
        elif entries:
            tasks = {"hosts": "localhost", "gather_facts": False, "tasks": [{"import_tasks": piece.name}]}
            self._unused[piece.name] = json.dumps([tasks]), piece

    def _run(self, piece: guide_pages.Piece) -> None:
        if self._not_run:
            self.log.append(f"# not run:\n{piece.text}")
            self._not_run = False
            return
        lines = piece.text.splitlines()
        for target in [line.split()[1] for line in lines if line.startswith("make ")]:
            # What a target of the Makefile does is tested where it is at home.
            if not re.search(rf"^{target}:", (TREE / "Makefile").read_text(encoding="utf-8"), re.MULTILINE):
                raise Wrong(f"the Makefile has no target {target}")
        for name in [name for name in self._unused if name in piece.text.split()]:
            del self._unused[name]
        script = "\n".join(
            self._staged(line, "{{ inventory_hostname }}" if line.startswith("ansible ") else self._hosts[0])
            for line in lines
            if not line.startswith("make ")
        )
        with contextlib.ExitStack() as stack:
            if self._then is not None:
                stack.enter_context(_after_requests(self._sandbox, *self._then))
                self._then = None
            code, self._output = self._call(script)
        self.log.append(f"$ {piece.text}{self._output}")
        if (code != 0) != self._fails:
            raise Wrong(f"exit code {code} from:\n{script}\n{self._output}")
        self._fails = False

    def _call(self, script: str) -> tuple[int, str]:
        """Run commands, to the end or until they print what is waited for. Returns exit code and output."""
        until, self._until = self._until, ""
        output = ""
        with subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", script], cwd=self._folder, env=self._environment(), text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        ) as process:  # fmt: skip
            late = threading.Timer(_MAX_SECONDS, os.killpg, (process.pid, signal.SIGKILL))
            late.start()
            try:
                for line in process.stdout or ():
                    output += line
                    if until and until in line:
                        os.killpg(process.pid, signal.SIGTERM)
                code = process.wait()
            finally:
                late.cancel()
        if code == -signal.SIGKILL:
            raise Wrong(f"this takes too long:\n{script}\n{output}")
        if until:
            code = 0 if until in output else 1
        return code, output

    def _staged(self, text: str, host: str) -> str:
        """A text with this stage for the machines, accounts and services that it names."""
        ports = "(lookup('ansible.builtin.env', 'STAGE_PORTS') | from_json)[inventory_hostname]"
        port = f'"{{{{ {ports} }}}}"' if "{" in host else str(self._services.port(host))
        text = re.sub(r"(?<![\w.}~/-])/(?=(?:etc|var|srv)/)", f"{self._services.root(host)}/", text)
        text = re.sub(r"\bport: 443\b", f"port: {port}", text)
        text = re.sub(r"-connect \S+:443\b", f"-connect 127.0.0.1:{port}", text)
        programs = "|".join(PROGRAMS)
        text = re.sub(rf"(?<=\[)({programs}) ([^],]+)(?=])", rf'"\1 {host} \2"', text)
        text = re.sub(rf"(?<![\w./\"-])({programs}) (?=-|reload|check)", rf"\1 {host} ", text)
        text = re.sub(
            r"^( *)ansible\.builtin\.service:\n( +)",
            rf'\1stand_in_service:\n\2host: "{host}"\n\2', text, flags=re.MULTILINE,
        )  # fmt: skip
        looks = ("resolvers", "address_map")
        look = "".join(rf"\g<2>{name}: {json.dumps(self._internet.describe()[name])}\n" for name in looks)
        text = re.sub(r"(?m)^( *certops\.issuance\.dcv_diagnose:\n)( +)", rf"\g<1>{look}\2", text)
        text = _FOREIGN_MODULES.sub("ansible.builtin.debug", text)
        # A wait of half an hour is a wait of seconds here.
        text = re.sub(r"(timeout(?:: |=))[1-9]\d+\b", rf"\g<1>{_WAIT}", text)
        text = re.sub(r"(?m)(collection install |name: )certops\.issuance$", rf"\g<1>{self._tarball}", text)
        text = re.sub(rf"{_REPOSITORY}/releases/download/\S+\.tar\.gz", str(self._tarball), text)
        if _REPOSITORY in text:
            text = text.replace(f"{_REPOSITORY}.git", f"file://{self._repository()}")
        for name, value in self._variables().items():
            text = re.sub(rf"\b{name}=\S+", f"{name}='{value}'", text)
        return re.sub(r"(?<=vault_digicert_api_key: )\S+", self._sandbox.options("digicert")["api_key"], text)

    def _repository(self) -> Path:
        """This tree as it is now, as a repository of git that can be cloned."""
        folder = self._folder.parent / "issuance.git"
        if not folder.exists():
            files = "git ls-files -z --cached --others --exclude-standard --deduplicate"
            who = "-c user.name=test -c user.email=test@localhost"
            script = (
                f'mkdir "$1" && {files} | xargs -0 cp --parents -t "$1" && cd "$1" && git init -q -b main && '
                f"git add --all --force && git {who} commit -q -m snapshot"
            )
            subprocess.run(["bash", "-euo", "pipefail", "-c", script, "bash", str(folder)], cwd=TREE, check=True)
        return folder

    def _variables(self) -> dict[str, str]:
        """The environment variables of all accounts."""
        found = {
            f"{provider}_{name}".upper(): value
            for provider in PROVIDERS
            for name, value in self._sandbox.options(provider).items()
            if name not in ("provider", "ca_path")
        }
        return {_OTHER_VARIABLES.get(name, name): value for name, value in found.items()}

    def _environment(self) -> dict[str, str]:
        path = [
            str(self._folder.parent / "bin"),
            str(_STAND_INS / "bin"),
            _search_path(),
        ]
        ports = {host.name: self._services.port(host.name) for host in self._services.root("x").parent.iterdir()}
        mine = {
            "ANSIBLE_ASYNC_DIR": str(self._home / ".ansible_async"),
            "ANSIBLE_HOST_PATTERN_MISMATCH": "warning",
            "ANSIBLE_LIBRARY": str(_STAND_INS / "library"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "ANSIBLE_NOCOLOR": "true",
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "ANSIBLE_REMOTE_TEMP": "$HOME/.ansible/tmp",
            "ANSIBLE_TRANSPORT": "local",
            "ANSIBLE_VARS_ENABLED": "host_group_vars,stage",
            "ANSIBLE_VARS_PLUGINS": str(_STAND_INS / "vars_plugins"),
            "HOME": str(self._home),
            "PATH": os.pathsep.join(path),
            **dict.fromkeys(("CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"), self._sandbox.ca_file),
            "STAGE_DNS": json.dumps(self._internet.describe()),
            "STAGE_PORTS": json.dumps(ports),
        }
        dropped = ("ANSIBLE_CONFIG", "ANSIBLE_INVENTORY")
        kept = {name: value for name, value in os.environ.items() if name not in dropped}
        if any("collection install" in piece.text for piece in self._pieces if piece.kind == "commands"):
            # What the guide installs is what it goes on with.
            kept["ANSIBLE_COLLECTIONS_PATH"] = str(self._home / ".ansible/collections")
        return {**kept, **mine, **self._variables()}

    # -- what was printed ---------------------------------------------------------------------------------------------

    def _compare(self, piece: guide_pages.Piece) -> None:
        """Each line that the guide shows was printed; what varies from run to run aside.

        Hosts answer in any order, so lines are in order only from one "..." to the next.
        """
        if self._not_run:
            self._not_run = False
            return
        printed = [self._plain(line) for line in self._output.splitlines()]
        start = end = 0
        for line in piece.text.splitlines():
            wanted = self._plain(line)
            if wanted == "...":
                start = end
            elif wanted and wanted not in printed[start:]:
                raise Wrong(f"the command did not print this line (here):\n{line}\nbut:\n{self._output}")
            elif wanted:
                end = max(end, printed.index(wanted, start) + 1)

    def _plain(self, line: str) -> str:
        for host in self._services.root("x").parent.iterdir():
            line = line.replace(str(host), "")
        # ansible-playbook pads its headings to the width of the terminal.
        return _VARIES.sub("0", " ".join(re.sub(r"\*{3,}", "***", line).split()))

    def _look_at(self, piece: guide_pages.Piece) -> None:
        if piece.name.startswith("yaml") or piece.name in ("bash", "sh", "console"):
            raise Wrong(f"a block of {piece.name} has no caption, so nobody checks it")


def _search_path() -> str:
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


class _Loader(yaml.SafeLoader):
    """Reads YAML with tags that it does not know, such as GitLab's and Ansible's."""


_Loader.add_multi_constructor("!", lambda loader, suffix, node: None)


def _hosts(data: t.Any) -> t.Iterator[str]:
    """The names of all hosts in an inventory."""
    if isinstance(data, dict):
        yield from data.get("hosts") or {}
    for value in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from _hosts(value)


def _scripts(data: t.Any) -> t.Iterator[str]:
    """The commands of a pipeline, in the order in which they stand there."""
    if isinstance(data, dict):
        own = data.get("env") or {}
        secrets = "".join(f"{name}='a secret'\n" for name in own if "run" in data)
        for key, value in data.items():
            if key in ("run", "script", "before_script"):
                yield secrets + ("\n".join(value) if isinstance(value, list) else value)
            else:
                yield from _scripts(value)
    elif isinstance(data, list):
        for value in data:
            yield from _scripts(value)


@contextlib.contextmanager
def _after_requests(sandbox: Sandbox, seconds: float, requests: int) -> t.Iterator[None]:
    """Let time pass at the provider once it was sent so many requests within this block."""
    before, over = sandbox.summary()["requests"], threading.Event()

    def act() -> None:
        while not over.wait(0.1):
            if sandbox.summary()["requests"] - before >= requests:
                sandbox.advance(seconds)
                return

    thread = threading.Thread(target=act)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.fixture(scope="module")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The collection as it is published."""
    folder = tmp_path_factory.mktemp("build")
    command = [program("ansible-galaxy"), "collection", "build", "--output-path", str(folder), str(TREE)]
    subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    return next(folder.glob("*.tar.gz"))


@pytest.mark.slow
@pytest.mark.parametrize("guide", guide_pages.guides(), ids=lambda guide: guide.relative_to(TREE).as_posix())
def test_guide(guide: Path, sandbox: Sandbox, folder: Path, tarball: Path) -> None:
    if "ansible-rulebook" in guide.read_text(encoding="utf-8"):
        missing = [name for name in ("ansible-rulebook", "java") if shutil.which(name, path=_search_path()) is None]
        if missing:
            pytest.skip(f"not tested: {' and '.join(missing)} not found")
    with Services(folder) as services, InternetService(time.time) as internet:
        story = Story(guide, folder, sandbox, internet, services, tarball)
        try:
            story.run()
        except (Wrong, SandboxError) as exc:
            print("\n".join(story.log))
            pytest.fail(str(exc), pytrace=False)
