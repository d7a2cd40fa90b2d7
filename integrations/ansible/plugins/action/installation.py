# -*- coding: utf-8 -*-

# SPDX-License-Identifier: MIT

"""The control machine's side of the module: brings the executable where the module does not find the one asked for."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import hashlib

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.module_utils.common.text.converters import to_text
from ansible.plugins.action import ActionBase
from ansible.utils.hashing import secure_hash
from ansible_collections.mcp_installer.mcp_oauth_proxy.plugins.module_utils.failing import refusal, unverified


def refused(code, message, remedy):
    """What ends the task as the module would end it."""
    told = refusal(code, message, remedy)
    return AnsibleActionFail(told.pop('msg'), result=told)


class ActionModule(ActionBase):
    """One module execution for each host that has the executable, two and a transfer for one that has not."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        """Returns what the module does."""
        super(ActionModule, self).run(tmp, task_vars)
        if 'mcp_token' in self._task.args and self._task.args['mcp_token'] is None:
            # On a fresh host a vault's variable without a value would be answered with a generated one.
            raise refused('E_USAGE', 'mcp_token is null.', 'Give it a value, or leave it out.')
        answer = self._execute_module(task_vars=task_vars)
        wanted = answer.get('executable_wanted')
        if wanted is None:
            return answer
        # Ansible removes it at the end of the task.
        directory = self._connection._shell.tmpdir or self._make_tmp_path()
        args = dict(self._task.args, file=self._bring(directory, wanted), remote_src=True)
        return self._execute_module(module_args=args, task_vars=task_vars)

    def _bring(self, directory, wanted):
        """Copies the executable into a directory on the host. What does not have the checksum does not leave this machine."""
        file = self._task.args['file']
        try:
            local = self._loader.get_real_file(self._find_needle('files', file))
        except AnsibleError as error:
            raise refused('E_USAGE', to_text(error), 'Put the executable into files/ beside the play or the role.')
        if secure_hash(local, hashlib.sha256) != wanted:
            raise refused(*unverified(file))
        remote = self._connection._shell.join_path(directory, 'brought')
        self._transfer_file(local, remote)
        self._fixup_perms2((directory, remote))
        return remote
