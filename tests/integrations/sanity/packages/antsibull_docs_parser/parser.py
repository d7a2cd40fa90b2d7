"""Finds the directives in a text: C(code), O(option=value) and the like. See dom.py."""

import re
from typing import NamedTuple, Optional

from . import dom

_CLASSIC = r'\b(?P<classic>[BCILMRU])\((?P<plain>[^)]*)'
# In these a backslash stands before a closing parenthesis and before itself.
_SEMANTIC = r'\b(?P<semantic>E|O|P|RV|V)\((?P<escaped>(?:\\.|[^\\)])*)'
_DIRECTIVE = re.compile(r'(?:%s|%s)(?P<end>\)?)' % (_CLASSIC, _SEMANTIC), re.DOTALL)
_PLUGIN = re.compile(r'(?P<fqcn>[^\s#:]+)#(?P<type>[^\s#:]+)')
_REFERENCE = re.compile(r'(?:(?P<plugin>[^\s:=]+):)?(?P<name>[^\s:=]+)(?:=.*)?', re.DOTALL)


class Context(NamedTuple):
    current_plugin: Optional[dom.PluginIdentifier] = None


def _plugin(text):
    match = _PLUGIN.fullmatch(text)
    return match and dom.PluginIdentifier(match['fqcn'], match['type'])


def _reference(kind, content, source, context):
    """An option or a return value, of another plugin where one is named."""
    match = _REFERENCE.fullmatch(content)
    plugin = context.current_plugin
    if match and match['plugin']:
        plugin = _plugin(match['plugin'])
    if match is None or (match['plugin'] and plugin is None):
        return dom.Part(dom.PartType.ERROR, source, message='"%s" names nothing' % source)
    link = re.sub(r'\[[^\]]*\]', '', match['name']).split('.')
    return dom.Part(kind, source, plugin=plugin, name=match['name'], link=link)


def _part(match, context, strict):
    source, directive = match[0], match['classic'] or match['semantic']
    content = match['plain'] if match['classic'] else re.sub(r'\\(.)', r'\1', match['escaped'], flags=re.DOTALL)
    if not match['end']:
        return dom.Part(dom.PartType.ERROR, source, message='"%s" is not closed' % source)
    if strict and match['semantic'] and re.search(r'\\[^\\)]', match['escaped'].replace('\\\\', '')):
        return dom.Part(dom.PartType.ERROR, source, message='"%s" escapes what needs no escape' % source)
    if directive in ('L', 'R') and ',' not in content:
        return dom.Part(dom.PartType.ERROR, source, message='"%s" has no second part' % source)
    if directive == 'U':
        return dom.Part(dom.PartType.URL, source, url=content)
    if directive == 'L':
        return dom.Part(dom.PartType.LINK, source, url=content.rsplit(',', 1)[1].strip())
    if directive == 'M':
        return dom.Part(dom.PartType.MODULE, source, fqcn=content)
    if directive == 'P':
        plugin = _plugin(content)
        error = dom.Part(dom.PartType.ERROR, source, message='"%s" names no plugin' % source)
        return dom.Part(dom.PartType.PLUGIN, source, plugin=plugin) if plugin else error
    if directive == 'O':
        return _reference(dom.PartType.OPTION_NAME, content, source, context)
    if directive == 'RV':
        return _reference(dom.PartType.RETURN_VALUE, content, source, context)
    return dom.Part(dom.PartType.TEXT, source)


def parse(text, context, errors='message', strict=False, add_source=True):
    """The directives of a text as one paragraph; the words between them are of no interest to those who ask."""
    if errors != 'message' or not add_source:
        raise NotImplementedError('validate-modules does not ask for this')
    return [[_part(match, context, strict) for match in _DIRECTIVE.finditer(text)]]
