# -*- coding: utf-8 -*-

# SPDX-License-Identifier: MIT

"""Sees to it that the executable on the host is the one asked for, before it is run."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import shutil

# Where it goes that is asked for by its name alone.
BESIDE = '/usr/local/bin'


def unverified(module, path):
    module.fail_json(
        msg='%s does not have the SHA-256 that was asked for; it was not run.' % path,
        code='E_UNVERIFIED',
        remedy='Take the executable and its SHA-256 from one release.',
    )


def copy_verified(module, to):
    """Copies the file that was brought. Only what has the checksum is left there."""
    try:
        shutil.copyfile(module.params['file'], to)
        os.chmod(to, 0o755)
    except (IOError, OSError) as error:
        module.fail_json(msg='%s could not be copied: %s' % (module.params['file'], error))
    if module.sha256(to) != module.params['sha256'].lower():
        os.remove(to)
        unverified(module, module.params['file'])


def bring(module, path):
    """Gives the file that was brought the name of the executable."""
    # Not module.atomic_move(), which gives a new file its mode once it has its name: whoever is killed between the two
    # would leave one that does not run.
    beside = '%s.%s.new' % (path, os.getpid())
    try:
        copy_verified(module, beside)
        os.rename(beside, path)
    except OSError as error:
        module.fail_json(msg='%s could not be put into its place: %s' % (path, error))
    finally:
        if os.path.exists(beside):
            os.remove(beside)


def prepare_executable(module):
    """Sees to it that the executable is the one asked for, and sets its path. Returns whether it was another one, or none.

    Asks the control machine for it where it is not on the host: that ends the module.
    """
    params = module.params
    path = params['executable']
    if '/' not in path:
        found = None if params['file'] else module.get_bin_path(path, required=True, opt_dirs=[BESIDE])
        path = found or os.path.join(BESIDE, path)
    params['executable'] = path
    if os.path.isfile(path) and os.access(path, os.X_OK) and module.sha256(path) == params['sha256'].lower():
        return False
    if params['file'] is None:
        unverified(module, path)
    if not params['remote_src']:
        module.exit_json(changed=False, executable_wanted=True)
    if module.check_mode:
        # Goes with the task.
        params['executable'] = os.path.join(module.tmpdir, 'mcp-installer')
        copy_verified(module, params['executable'])
    else:
        bring(module, path)
    return True
