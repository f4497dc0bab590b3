#!/bin/sh
# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What `systemctl reload-or-restart` does, for an Apache without systemd: reload_or_restart.sh PID_FILE COMMAND...
# Apache's own check reads no keys, and Apache ends when a graceful restart finds one that does not match.
# A process that nobody collected is no Apache, though it has a process id.

pid_file=$1
shift
state=$(sed 's/.*) \(.\).*/\1/' "/proc/$(cat "$pid_file")/stat" 2>/dev/null)
case $state in
    '' | Z)
        rm -f "$pid_file"
        exec "$@" -k start
        ;;
    *) exec "$@" -k graceful ;;
esac
