#!/usr/bin/python
# -*- coding: utf-8 -*-

# SPDX-License-Identifier: MIT

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: installation_info
short_description: Tells what mcp-installer has installed
version_added: 0.1.0
description:
  - Runs C(mcp-installer status) on the host, which changes nothing. Without an executable it fails with C(E_BOOTSTRAP),
    since whether anything is installed is not known then.
author:
  - The maintainers of mcp-installer (@mcp-installer)
extends_documentation_fragment:
  - mcp_installer.mcp_oauth_proxy.installer
attributes:
  check_mode:
    support: full
    description: Nothing is changed in any mode.
  diff_mode:
    support: none
    description: There is nothing to compare.
'''

EXAMPLES = r'''
- name: Look at the proxy
  mcp_installer.mcp_oauth_proxy.installation_info:
  register: proxy

- name: Stop where it is not healthy
  ansible.builtin.assert:
    that: proxy.outcome == 'healthy'
'''

RETURN = r'''
outcome:
  description:
    - C(healthy) where it runs, answers, and is as it was written.
    - C(unhealthy) where it does not answer as it should, whether it is as it was written or not.
    - C(drifted) where an installation would change something, or would be refused.
    - C(installed) where it is as it was written, and has no health since it does not run here, as with O(root).
    - C(absent) where it is not installed.
    - With a failure, how the look at it ended; C(busy) where another run is under way.
  returned: always
  type: str
  sample: healthy
installation:
  description: What C(mcp-installer status --json) tells; of a secret its fingerprint and never its value.
  returned: success
  type: dict
notes:
  description: What is worth knowing besides.
  returned: success
  type: list
  elements: dict
code:
  description: Stable code of the error.
  returned: failure
  type: str
  sample: E_BUSY
remedy:
  description: What to do about it.
  returned: failure
  type: str
'''

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mcp_installer.mcp_oauth_proxy.plugins.module_utils.executable import verify_executable
from ansible_collections.mcp_installer.mcp_oauth_proxy.plugins.module_utils.installer import (
    COMMON,
    common_options,
    fail_with,
    of_type,
    run,
)


def outcome_of(told, found):
    """The installer's word for how it is, where that holds; it has one word for two things that a play tells apart."""
    if told == 'healthy' and found['healthy'] is None:
        return 'installed'
    if told == 'drifted' and found['healthy'] is False:
        return 'unhealthy'
    return told


def main():
    module = AnsibleModule(argument_spec=dict(COMMON), supports_check_mode=True)
    verify_executable(module)
    events = run(module, 'status', common_options(module.params))
    result = events[-1]
    found = of_type(events, 'status')
    # One that is unhealthy is what was asked about; one that cannot be looked at, or not now, is a failure.
    if not found or found[-1]['installed'] is None:
        fail_with(module, result)
    module.exit_json(
        changed=False,
        outcome=outcome_of(result['outcome'], found[-1]),
        installation=found[-1],
        notes=of_type(events, 'note'),
    )


if __name__ == '__main__':
    main()
