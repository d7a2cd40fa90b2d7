# -*- coding: utf-8 -*-

# SPDX-License-Identifier: MIT

from __future__ import absolute_import, division, print_function

__metaclass__ = type


class ModuleDocFragment(object):
    """What all modules of this collection have: module_utils/installer.py takes it."""

    DOCUMENTATION = r'''
options:
  executable:
    description: The installer on the host; its path, or its name where it is in the search path.
    type: path
    default: mcp-installer
  sha256:
    description:
      - SHA-256 of the executable, as it stands in the signed C(SHA256SUMS) of the release.
      - It is compared on the host each time before the executable is run; another one is not run.
    type: str
  root:
    description: An existing directory that is treated as C(/).
    type: path
  instance:
    description: Another installation beside the plain one.
    type: str
  product:
    description: A product file on the host, for another service than mcp-oauth-proxy.
    type: path
  lock_timeout:
    description: How many seconds to wait while another run is under way on the host, before E_BUSY is told.
    type: int
    default: 60
attributes:
  platform:
    support: full
    platforms: debian
    description: Debian 12 and 13.
'''
