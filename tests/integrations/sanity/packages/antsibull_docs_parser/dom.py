"""Stands for antsibull-docs-parser, which no Debian has, as far as validate-modules looks at what it returns.

Written from the description of the markup in Ansible's developer guide, and held against the real one by hand.
"""

import enum
from typing import List, NamedTuple, Optional


class PartType(enum.Enum):
    ERROR = 'error'
    TEXT = 'text'
    URL = 'url'
    LINK = 'link'
    MODULE = 'module'
    PLUGIN = 'plugin'
    OPTION_NAME = 'option name'
    RETURN_VALUE = 'return value'


class PluginIdentifier(NamedTuple):
    fqcn: str
    type: str


class Part(NamedTuple):
    type: PartType
    source: str
    message: str = ''
    url: str = ''
    fqcn: str = ''
    plugin: Optional[PluginIdentifier] = None
    # Only roles have any, and what is of a role is not looked at.
    entrypoint: Optional[str] = None
    name: str = ''
    link: List[str] = []


OptionNamePart = ReturnValuePart = Part
