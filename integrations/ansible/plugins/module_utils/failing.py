# -*- coding: utf-8 -*-

# SPDX-License-Identifier: MIT

"""Ends a module that could not even run the installer as the installer would: with a code and a remedy."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type


def refusal(code, message, remedy):
    """What is returned: the same names as where the installer itself has failed."""
    return {
        'changed': False,
        'code': code,
        'remedy': remedy,
        'outcome': 'refused',
        'rolled_back': False,
        'exit_code': None,
        'plan': None,
        'run': None,
        'notes': [],
        'operations': [],
        'reloads': [],
        'msg': '%s: %s %s' % (code, message, remedy),
    }


def refuse(module, code, message, remedy):
    """Ends the module; nothing was changed."""
    module.fail_json(**refusal(code, message, remedy))


def unverified(path):
    """Code, message and remedy of what does not have the checksum."""
    return (
        'E_UNVERIFIED',
        '%s does not have the SHA-256 that was asked for; it was not run.' % path,
        'Take the executable and its SHA-256 from one release, and let it belong to root.',
    )
