# -*- coding: utf-8 -*-

# SPDX-License-Identifier: MIT

"""Runs mcp-installer and reads what it tells: one JSON object a line, the last one is the result."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import os
import time

from ansible_collections.mcp_installer.mcp_oauth_proxy.plugins.module_utils.failing import refusal, refuse

# Arguments that both modules have.
COMMON = {
    'executable': {'type': 'path', 'default': 'mcp-installer'},
    'sha256': {'type': 'str'},
    'root': {'type': 'path'},
    'instance': {'type': 'str'},
    'product': {'type': 'path'},
    'lock_timeout': {'type': 'int', 'default': 60},
}


def common_options(params):
    """Options of every command."""
    words = []
    for name in ('root', 'instance', 'product'):
        if params[name] is not None:
            words.append('--%s=%s' % (name, params[name]))
    return words


def run(module, command, options, data=None):
    """Runs a command with --json; returns its events. Ends the module where it did not tell a result.

    Another run on the host, such as that of a play whose control machine has died, is waited for.
    """
    deadline = time.time() + module.params['lock_timeout']
    while True:
        events = attempt(module, command, options, data)
        error = events[-1]['error']
        if error is None or error['code'] != 'E_BUSY' or time.time() >= deadline:
            return events
        time.sleep(1)


def attempt(module, command, options, data):
    """As run(), once."""
    words = [module.params['executable'], command, '--json'] + options
    # What this process has in its environment is no setting that anybody asked for.
    foreign = ('DRY_RUN', 'FORCE_ROTATE_TOKENS')
    clean = dict((name, '') for name in os.environ if name.startswith('MCP_INSTALLER_') or name in foreign)
    code, out, err = module.run_command(words, data=data, binary_data=True, environ_update=clean)
    events = []
    # Not splitlines(), which ends a line at more than line ends; JSON does not.
    for line in out.split('\n'):
        if not line:
            continue
        try:
            events.append(json.loads(line))
        except ValueError:
            events = []
            break
    if not events or not all(isinstance(event, dict) and 'type' in event for event in events):
        nonsense(module, 'It told something that is not its JSON.', code, err)
    if events[-1]['type'] != 'result' or events[-1]['command'] != command:
        nonsense(module, 'It ended without the result of what it was asked for.', code, err)
    # sudo's environment counts for it too: what was only predicted is not done.
    dry = [event['dryRun'] for event in events if event['type'] == 'run']
    if dry and dry[-1] != module.check_mode:
        refuse(
            module,
            'E_USAGE',
            'DRY_RUN is set in the environment that sudo hands on.',
            'Take it away there; a play has its check mode for that.',
        )
    return events


def nonsense(module, what, code, err):
    """Ends the module where the executable did not behave as mcp-installer does."""
    told = refusal('E_INTERNAL', what, 'Look at stderr, and whether executable is mcp-installer.')
    module.fail_json(rc=code, stderr=err, **dict(told, exit_code=code))


def of_type(events, kind):
    """The events of a kind, without what all of them have."""
    return [
        dict((key, value) for key, value in event.items() if key not in ('v', 'type'))
        for event in events
        if event['type'] == kind
    ]


def fail_with(module, result, **more):
    """Ends the module with the installer's own words, code and remedy."""
    error = result['error']
    module.fail_json(
        msg='%s: %s %s' % (error['code'], error['message'], error['remedy']),
        code=error['code'],
        remedy=error['remedy'],
        outcome=result['outcome'],
        rolled_back=result['outcome'] == 'rolledBack',
        exit_code=result['exitCode'],
        run=result['run'],
        **more
    )
