#!/usr/bin/python
# -*- coding: utf-8 -*-

# SPDX-License-Identifier: MIT

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: installation
short_description: Installs, changes or removes a service with mcp-installer
version_added: 0.1.0
description:
  - Runs C(mcp-installer) on the host, and tells faithfully what it planned and did.
  - Secrets that are there stay. They are generated where they are missing, and rotated only where O(rotate) says so.
  - What an interrupted run left undone, a restart for one, is finished by the next run, and counts as a change.
author:
  - The maintainers of mcp-installer (@mcp-installer)
extends_documentation_fragment:
  - mcp_installer.mcp_oauth_proxy.installer
attributes:
  action:
    support: full
    description: Brings the executable from the control machine where the host has not the one asked for.
  async:
    support: none
    description: A run is to be seen to its end.
  check_mode:
    support: full
    description: Is C(--dry-run), which writes nothing at all.
  diff_mode:
    support: full
    description: Shows unified diffs; values and comments of the env file are hidden.
options:
  file:
    description:
      - The executable on the control machine, looked for as M(ansible.builtin.copy) does; with O(remote_src) a path on
        the host.
      - It is brought to O(executable), which is C(/usr/local/bin/mcp-installer) then unless it is a path, where that
        one is missing, does not have O(sha256), or could be written by others. In check mode, and with
        O(state=absent), it is run from a directory that goes with the task, and gets no place.
    type: str
  remote_src:
    description: Is O(file) on the host already?
    type: bool
    default: false
  state:
    description:
      - C(present) installs, or brings up to date.
      - C(absent) removes what the installer made, and keeps what a person edited.
    type: str
    choices: [present, absent]
    default: present
  purge:
    description: With O(state=absent), the secrets and the service's own state go too.
    type: bool
    default: false
  settings:
    description:
      - Settings by their name in the env file, such as C(DOMAIN), C(LISTEN_PORT), C(BACKEND_URL).
      - What is left out stays as it is on the host. What is to be forgotten is named in O(unset).
      - V(false) for a flag, such as C(INSECURE_HTTP), is that it is not set, whatever the host has.
      - A setting without a value, V(null), fails, since it could mean either that it stays or that it is to be forgotten.
    type: dict
    default: {}
  unset:
    description: Settings to forget, and optional secrets to remove.
    type: list
    elements: str
    default: []
  mcp_token:
    description:
      - A value for C(MCP_TOKEN) instead of a generated one. It reaches the installer through its standard input.
      - Where the host has another one, O(rotate) has to name C(MCP_TOKEN).
    type: str
  secret_files:
    description: Files on the host with secrets that are brought along, by option, such as C(owner-password-file).
    type: dict
    default: {}
  rotate:
    description: Secrets that get new values; C(all) alone stands for all that were generated. This is never idempotent.
    type: list
    elements: str
    default: []
  source:
    description: Code on the host that is installed instead of the bundled one; C(bundled) goes back.
    type: str
  edits:
    description:
      - What to do where a person's edit and a change of the installer's meet.
      - C(refuse) fails before any change, C(keep) keeps the edit and lays the new file beside it, C(replace) replaces it.
    type: str
    choices: [refuse, keep, replace]
    default: refuse
  image:
    description: Prepare an image, which gets no secrets; each host made from it makes its own at its first boot.
    type: bool
    default: false
  packages:
    description: Install missing Debian packages.
    type: bool
    default: true
  start:
    description: Start and restart the service.
    type: bool
    default: true
  rollback:
    description: Put the host back where something fails.
    type: bool
    default: true
  allow_downgrade:
    description: Run although a newer installer was here last.
    type: bool
    default: false
'''

EXAMPLES = r'''
- name: Install the proxy
  mcp_installer.mcp_oauth_proxy.installation:
    settings:
      DOMAIN: mcp.example.org
      BACKEND_URL: http://127.0.0.1:8000/mcp

- name: Install it with the executable of a release, which is brought where it is not there
  mcp_installer.mcp_oauth_proxy.installation:
    file: mcp-installer-linux-x64
    sha256: "{{ sha256_from_the_signed_SHA256SUMS }}"

- name: Bring a bearer of one's own along, from a vault
  mcp_installer.mcp_oauth_proxy.installation:
    mcp_token: "{{ vault_mcp_token }}"

- name: New credentials for the clients of this host
  mcp_installer.mcp_oauth_proxy.installation:
    rotate: [CLIENT_ID, CLIENT_SECRET]

- name: Remove it with everything
  mcp_installer.mcp_oauth_proxy.installation:
    state: absent
    purge: true
'''

RETURN = r'''
outcome:
  description: How the run ended; in check mode, how a real run is predicted to end.
  returned: always
  type: str
  sample: installed
plan:
  description: Hash of the plan; the same in check mode and in the run after it. Null where there was no plan.
  returned: always
  type: str
  sample: 3f2a9c1e
operations:
  description: The changes, in order, the executable's first; where the run failed, what it had planned.
  returned: always
  type: list
  elements: dict
reloads:
  description: What running programs are made to notice.
  returned: always
  type: list
  elements: dict
secrets:
  description: Names, origins (C(generated), C(preserved), C(rotated)) and keyed fingerprints; never a value.
  returned: success
  type: list
  elements: dict
notes:
  description: What is worth knowing and is no change.
  returned: always
  type: list
  elements: dict
run:
  description: Id of the run's journal on the host; null where it wrote none.
  returned: always
  type: str
code:
  description: Stable code of the error.
  returned: failure
  type: str
  sample: E_UNHEALTHY
remedy:
  description: What to do about it.
  returned: failure
  type: str
rolled_back:
  description: Was the host put back as it was?
  returned: failure
  type: bool
exit_code:
  description: Exit code of the installer; null where it was not run.
  returned: always
  type: int
'''

import atexit
import os
import shutil
import tempfile

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mcp_installer.mcp_oauth_proxy.plugins.module_utils.executable import prepare_executable
from ansible_collections.mcp_installer.mcp_oauth_proxy.plugins.module_utils.failing import refuse
from ansible_collections.mcp_installer.mcp_oauth_proxy.plugins.module_utils.installer import (
    COMMON,
    common_options,
    fail_with,
    of_type,
    run,
)


def config_line(module, name, value):
    """A line that the installer's reader takes as it is meant."""
    if value is None:
        refuse(
            module, 'E_USAGE', 'settings: %s is null.' % name, 'Leave it out to keep it; name it in unset to forget it.'
        )
    listed = ','.join(str(each) for each in value) if isinstance(value, list) else str(value)
    # In YAML's words: a flag takes them, and a number, unlike 0 and 1, does not.
    text = listed.lower() if isinstance(value, bool) else listed
    if "'" in text or '\n' in text or '\r' in text:
        refuse(module, 'E_USAGE', 'settings: %s has a quote or a line end in it.' % name, 'Take another value.')
    return "%s='%s'\n" % (name, text)


def config_file(module):
    """The settings as a file of this task's own, which goes with it."""
    # Not in module.tmpdir, which belongs to the user who has logged in, and not always to the one who runs this.
    directory = tempfile.mkdtemp(prefix='mcp-installer-')
    atexit.register(shutil.rmtree, directory, True)
    path = os.path.join(directory, 'settings.env')
    with open(path, 'w') as file:
        for name, value in sorted(module.params['settings'].items()):
            file.write(config_line(module, name, value))
    return path


def install_options(module):
    params = module.params
    words = []
    if params['settings']:
        words += ['--config', config_file(module)]
    if params['unset']:
        words.append('--unset=' + ','.join(params['unset']))
    if params['mcp_token'] is not None:
        words += ['--mcp-token-file', '-']
    for option, path in sorted(params['secret_files'].items()):
        words.append('--%s=%s' % (option, path))
    if params['rotate']:
        # With a space commander would take what follows for its value.
        named = [] if params['rotate'] == ['all'] else ['=' + ','.join(params['rotate'])]
        words += ['--force-rotate-tokens' + ''.join(named)]
    if params['source'] is not None:
        words.append('--source=' + params['source'])
    flags = {
        '--keep-edited': params['edits'] == 'keep',
        '--force-config': params['edits'] == 'replace',
        '--image': params['image'],
        '--no-packages': not params['packages'],
        '--no-start': not params['start'],
        '--allow-downgrade': params['allow_downgrade'],
    }
    return words + sorted(flag for flag, is_set in flags.items() if is_set)


def uninstall_options(module):
    return ['--yes'] + (['--purge'] if module.params['purge'] else [])


def main():
    module = AnsibleModule(
        argument_spec=dict(
            COMMON,
            state={'type': 'str', 'choices': ['present', 'absent'], 'default': 'present'},
            purge={'type': 'bool', 'default': False},
            settings={'type': 'dict', 'default': {}},
            unset={'type': 'list', 'elements': 'str', 'default': []},
            mcp_token={'type': 'str', 'no_log': True},
            secret_files={'type': 'dict', 'default': {}, 'no_log': False},
            rotate={'type': 'list', 'elements': 'str', 'default': []},
            source={'type': 'str'},
            edits={'type': 'str', 'choices': ['refuse', 'keep', 'replace'], 'default': 'refuse'},
            image={'type': 'bool', 'default': False},
            packages={'type': 'bool', 'default': True},
            start={'type': 'bool', 'default': True},
            rollback={'type': 'bool', 'default': True},
            allow_downgrade={'type': 'bool', 'default': False},
            file={'type': 'str'},
            remote_src={'type': 'bool', 'default': False},
        ),
        required_by={'file': ['sha256']},
        supports_check_mode=True,
    )
    params = module.params
    is_present = params['state'] == 'present'
    placing = prepare_executable(module, is_placed=is_present and not module.check_mode)
    # Who removes the service gets no executable.
    placed = [placing] if placing is not None and is_present else []
    options = common_options(params)
    options += install_options(module) if is_present else uninstall_options(module)
    if not params['rollback']:
        options.append('--no-rollback')
    if module.check_mode:
        options.append('--dry-run')
    # A real run tells diffs only to those who want more.
    if module._diff:
        options.append('--verbose')
    events = run(module, 'install' if is_present else 'uninstall', options, data=params['mcp_token'])
    result = events[-1]
    notes = of_type(events, 'note')
    for note in notes:
        if note['level'] == 'warning':
            module.warn(note['text'])
    plans = of_type(events, 'plan')
    plan = plans[-1] if plans else {'operations': [], 'reloads': []}
    told = {
        'changed': result['changed'] or bool(placed),
        'plan': result['plan'],
        'notes': notes,
        'operations': placed + plan['operations'],
        'reloads': plan['reloads'],
    }
    if module._diff:
        named = ['%s %s\n' % (each['action'], each['path']) for each in placed]
        told['diff'] = [{'prepared': text} for text in named + [each['diff'] for each in of_type(events, 'diff')]]
    if result['error'] is not None:
        fail_with(module, result, **told)
    module.exit_json(
        outcome=result['outcome'],
        exit_code=result['exitCode'],
        run=result['run'],
        secrets=of_type(events, 'secret'),
        **told
    )


if __name__ == '__main__':
    main()
