#!/bin/sh
# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Starts an sshd that sees accounts and sudo rules of its own: unshare --mount private_sshd.sh FOLDER SSHD
# They are mounted over those of the machine in a mount namespace that ends with the last process in it. The machine's
# own files are never written, and nothing has to be undone.

set -e
folder=$1
sshd=$2
for name in passwd group shadow sudoers; do
    mount --bind "$folder/etc/$name" "/etc/$name"
done
mount -t tmpfs -o mode=0755 tmpfs /run
mkdir /run/sshd
exec "$sshd" -f "$folder/sshd_config" -E "$folder/sshd.log"
