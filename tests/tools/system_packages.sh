#!/bin/sh
# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Installs the servers and tools that integration tests use when they are there, on Debian and Ubuntu, as root.
# Nothing is started, nothing that is installed is removed, and a package that cannot be had is only reported.

set -u
export DEBIAN_FRONTEND=noninteractive

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "Not root on a Debian system: no system packages are installed. Tests that need them are skipped."
    exit 0
fi

has() {
    PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null
}

missing=
has nginx || missing="$missing nginx"
has apache2 || missing="$missing apache2"
has haproxy || missing="$missing haproxy"
has postfix || missing="$missing postfix"
has dovecot || missing="$missing dovecot-imapd"
has postgres || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="$missing postgresql"
has slapd || missing="$missing slapd"
has mariadbd || missing="$missing mariadb-server-core"
has vsftpd || missing="$missing vsftpd"
has prosody || missing="$missing prosody"
[ -e /usr/lib/dovecot/managesieve-login ] || missing="$missing dovecot-managesieved"
[ -e /usr/lib/dovecot/lmtp ] || missing="$missing dovecot-lmtpd"
has strace || missing="$missing strace"
has sudo || missing="$missing sudo"
has sshd || missing="$missing openssh-server"
has tinyproxy || missing="$missing tinyproxy-bin"
has java || missing="$missing default-jre-headless"
has chromium || has google-chrome || missing="$missing chromium" # 25 packages, 0.6 GB, under a minute
has openssl || missing="$missing openssl"
[ -n "$missing" ] || { echo "All system packages are there."; exit 0; }

policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy" # no service is started by its package
    chmod 0755 "$policy"
fi
command -v debconf-set-selections >/dev/null &&
    echo 'postfix postfix/main_mailer_type select No configuration' | debconf-set-selections

install() {
    apt-get install --quiet --quiet --yes --no-remove --no-install-recommends "$@" </dev/null
}

echo "Installing:$missing"
apt-get update --quiet --quiet
# shellcheck disable=SC2086 # the list is meant to be split
install $missing >/dev/null && exit 0
for package in $missing; do
    install "$package" >/dev/null || echo "$package cannot be installed. Tests that need it are skipped."
done
