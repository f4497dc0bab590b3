# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""POSIX access control lists: with one, the mode of a file shows the list's mask where the group's bits would be.

Source: acl(5); linux/posix_acl_xattr.h for the form of the extended attribute.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
from dataclasses import dataclass, replace

_ATTRIBUTE = "system.posix_acl_access"
_HEADER = struct.Struct("<I")
_ENTRY = struct.Struct("<HHI")
_VERSION = 2
_USER_OBJ, _GROUP_OBJ, _MASK, _OTHER = 0x01, 0x04, 0x10, 0x20
_WRITE = 0o2


@dataclass(frozen=True)
class AccessList:
    """An access control list that names further users or groups.

    Arguments:
        entries: tag, permissions and id of each entry, in their order.
    """

    entries: tuple[tuple[int, int, int], ...]

    def _permissions(self, tag: int) -> int:
        return next((permissions for found, permissions, _id in self.entries if found == tag), 0)

    @property
    def mode(self) -> int:
        """The permissions of owner, group and others, without those that the list adds.

        Who may write through the list counts as the group: nothing but a mode that was requested gives that away.
        """
        mask = self._permissions(_MASK)
        group = self._permissions(_GROUP_OBJ) & mask | mask & _WRITE
        return self._permissions(_USER_OBJ) << 6 | group << 3 | self._permissions(_OTHER)

    def with_mode(self, mode: int, keep_mask: bool) -> AccessList:
        """The list for a file of this mode.

        Arguments:
            mode: the permissions of owner, group and others.
            keep_mask: whether those whom the list names may read as before; else no more than the group.
        """
        group = mode >> 3 & 7
        added = self._permissions(_MASK) & ~_WRITE if keep_mask else 0
        values = {_USER_OBJ: mode >> 6 & 7, _GROUP_OBJ: group, _OTHER: mode & 7, _MASK: group | added}
        return replace(
            self,
            entries=tuple((tag, values.get(tag, permissions), number) for tag, permissions, number in self.entries),
        )


def read_access_list(descriptor: int) -> AccessList | None:
    """The list of what is open; None where there is none, as on most systems."""
    if not hasattr(os, "getxattr"):
        return None
    try:
        content = os.getxattr(descriptor, _ATTRIBUTE)
    except OSError as exc:
        if exc.errno in (errno.ENODATA, errno.ENOTSUP, errno.ENOSYS):
            return None
        raise
    if len(content) % _ENTRY.size != _HEADER.size or _HEADER.unpack_from(content)[0] != _VERSION:
        return None
    found = AccessList(tuple(_ENTRY.iter_unpack(content[_HEADER.size :])))
    return found if any(tag == _MASK for tag, _permissions, _id in found.entries) else None


def read_mode(descriptor: int) -> int:
    """The mode of what is open, with the group's own permissions where there is a list."""
    mode, found = stat.S_IMODE(os.fstat(descriptor).st_mode), read_access_list(descriptor)
    return mode if found is None else mode & ~0o777 | found.mode


def set_mode(descriptor: int, mode: int, like: int | None) -> None:
    """Set the mode of what is open, and the list that another file has; no list is lost.

    Arguments:
        descriptor: of what to set them on.
        mode: permissions of owner, group and others, and special bits.
        like: a descriptor of what the list is kept of; None when there is none yet.
    """
    own = read_access_list(descriptor)
    kept = read_access_list(like) if like is not None else None
    source = kept or own
    found = stat.S_IMODE(os.fstat(descriptor).st_mode)
    if source is None:
        if found != mode:
            os.fchmod(descriptor, mode)
        return
    wanted = source.with_mode(mode, keep_mask=kept is not None)
    if (found ^ mode) & ~0o777:
        os.fchmod(descriptor, mode)
        own = read_access_list(descriptor)
    if wanted != own:
        content = b"".join(_ENTRY.pack(*entry) for entry in wanted.entries)
        os.setxattr(descriptor, _ATTRIBUTE, _HEADER.pack(_VERSION) + content)
