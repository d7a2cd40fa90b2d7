# -*- coding: utf-8 -*-

# SPDX-License-Identifier: MIT

"""Sees to it that the executable on the host is the one asked for, before it is run."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import atexit
import errno
import fcntl
import glob
import os
import re
import shutil
import stat
import tempfile

from ansible_collections.mcp_installer.mcp_oauth_proxy.plugins.module_utils.failing import refuse, unverified

# Where it goes that is asked for by its name alone.
STANDARD_DIRECTORY = '/usr/local/bin'


def resolve_executable(module, is_wanted=True):
    """Makes the executable's name a path. Ends the module where it has to be there, and is not."""
    name = module.params['executable']
    if '/' not in name:
        found = module.get_bin_path(name, opt_dirs=[STANDARD_DIRECTORY]) if is_wanted else None
        name = found or os.path.join(STANDARD_DIRECTORY, name)
    module.params['executable'] = name
    if is_wanted and not os.access(name, os.X_OK):
        refuse(
            module,
            'E_BOOTSTRAP',
            '%s is not there, or cannot be run.' % name,
            'Bring it with file and sha256, or give its path in executable.',
        )


def checked_sum(module):
    """The checksum asked for, as it is compared."""
    wanted = module.params['sha256'].strip().lower()
    if not re.match('^[0-9a-f]{64}$', wanted):
        refuse(module, 'E_USAGE', 'sha256 is no SHA-256.', 'Give the 64 hexadecimal digits of the list of the release.')
    return wanted


def is_asked_for(module, path, wanted):
    """Is it a file with these bytes that runs, and that nobody else can write, or lead elsewhere?"""
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return (
        stat.S_ISREG(found.st_mode)
        and found.st_uid in (0, os.geteuid())
        and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        and os.access(path, os.X_OK)
        and module.sha256(path) == wanted
    )


def private_directory(beside):
    """A directory of this task's own that goes with it. Those of tasks that were killed go, too."""
    for old in glob.glob(os.path.join(beside, '.mcp-installer-*')):
        try:
            held = os.open(old, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            # Who still needs one holds its lock.
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(old, ignore_errors=True)
        except (IOError, OSError):
            pass
        finally:
            os.close(held)
    while True:
        made = tempfile.mkdtemp(prefix='.mcp-installer-', dir=beside)
        try:
            # Held until this process ends.
            fcntl.flock(os.open(made, os.O_RDONLY | os.O_DIRECTORY), fcntl.LOCK_EX)
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise
        # Another task may have taken it for one that was left behind, before it had its lock.
        if os.path.isdir(made):
            atexit.register(shutil.rmtree, made, True)
            return made


def copy_verified(module, directory, wanted):
    """Copies the file that was brought. What is verified is the copy, which nobody else can reach."""
    copy = os.path.join(directory, 'mcp-installer')
    shutil.copyfile(module.params['file'], copy)
    if module.sha256(copy) != wanted:
        refuse(module, *unverified(module.params['file']))
    os.chmod(copy, 0o755)
    with open(copy, 'rb') as written:
        os.fsync(written.fileno())
    return copy


def verify_executable(module):
    """Sets the path of the executable, which has to be there, and to be the one asked for."""
    resolve_executable(module)
    if module.params['sha256'] is not None:
        if not is_asked_for(module, module.params['executable'], checked_sum(module)):
            refuse(module, *unverified(module.params['executable']))


def prepare_executable(module, is_placed):
    """Sees to it that the executable is the one asked for, and sets its path.

    With is_placed one that was brought gets its place; else it is run from a directory that goes with the task. Returns
    what placing it changes, as an operation; None where it is in its place. Asks the control machine for the file where the
    host has none, by the checksum that it wants: that ends the module.
    """
    params = module.params
    if params['file'] is None:
        verify_executable(module)
        return None
    if not params['file']:
        refuse(module, 'E_USAGE', 'file is empty.', 'Name the executable, or leave file out.')
    resolve_executable(module, is_wanted=False)
    wanted = checked_sum(module)
    path = params['executable']
    if is_asked_for(module, path, wanted):
        return None
    if os.path.isdir(path) and not os.path.islink(path):
        refuse(module, 'E_WRITE_FAILED', '%s is a directory.' % path, 'Give another path in executable.')
    if not params['remote_src']:
        module.exit_json(changed=False, executable_wanted=wanted)
    if not os.path.isabs(params['file']):
        refuse(module, 'E_USAGE', 'file is no absolute path, and remote_src is set.', 'Give its path on the host.')
    action = 'replace' if os.path.lexists(path) else 'create'
    try:
        copy = copy_verified(module, private_directory(os.path.dirname(path)), wanted)
        if is_placed:
            os.rename(copy, path)
        else:
            params['executable'] = copy
    except (IOError, OSError) as error:
        why = errno.errorcode.get(error.errno, str(error))
        refuse(
            module,
            'E_WRITE_FAILED',
            '%s could not be written: %s.' % (path, why),
            'Its directory must be there, and be writable by the user of the task.',
        )
    return {'kind': 'writeFile', 'path': path, 'role': 'installer', 'action': action, 'detail': [], 'because': None}
