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
  - Runs C(mcp-installer status) on the host, which changes nothing.
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
    that: proxy.installation.healthy
'''

RETURN = r'''
outcome:
  description: C(healthy), C(drifted), which is said of an unhealthy one too, or C(absent).
  returned: success
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
'''

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mcp_installer.mcp_oauth_proxy.plugins.module_utils.installer import (
    COMMON,
    common_options,
    fail_with,
    of_type,
    run,
)


def main():
    module = AnsibleModule(argument_spec=dict(COMMON), supports_check_mode=True)
    events = run(module, 'status', common_options(module.params))
    result = events[-1]
    found = of_type(events, 'status')
    # One that is unhealthy is what was asked about; one that cannot be looked at is a failure.
    if not found:
        fail_with(module, result)
    module.exit_json(
        changed=False,
        outcome=result['outcome'],
        installation=found[-1],
        notes=of_type(events, 'note'),
    )


if __name__ == '__main__':
    main()
