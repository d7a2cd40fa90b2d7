"""ansible-test with Debian's Python packages, for hosts that do not reach PyPI.

Each test of ansible-test gets a virtual environment of its own, with the packages that it names. They are the same here,
and in the versions that the same Debian has; pip is all that is stood in for.
"""

import os
import re
import sys

from ansible_test._internal import main
from ansible_test._internal.commands import sanity

# Debian's, and what Debian does not have.
PLACES = ('/usr/lib/python3/dist-packages', os.path.join(os.path.dirname(os.path.abspath(__file__)), 'packages'))
# What else belongs to a package: names that are imported, and what Debian's build of it needs.
ALSO = {'pyyaml': ['yaml', '_yaml'], 'isort': ['toml']}


def files_of(package):
    """A package that is missing ends the run: without it a test could only fail, or look at less."""
    name = package.lower().replace('-', '_')
    pattern = r'(%s)(\.py|-.*\.(dist|egg)-info)?' % '|'.join([name] + ALSO.get(name, []))
    found = [
        os.path.join(place, file) for place in PLACES for file in os.listdir(place) if re.fullmatch(pattern, file.lower())
    ]
    if not found:
        raise SystemExit('%s is not installed; on Debian it is a package of its own' % package)
    return found


def link_packages(_args, python, commands, _connection):
    """In the place of run_pip: a virtual environment gets what was asked for, and nothing besides."""
    environment = os.path.dirname(os.path.dirname(python.path))
    to = os.path.join(environment, 'lib', 'python' + python.version, 'site-packages')
    for command in commands:
        for _path, text in getattr(command, 'requirements', ()):
            for package in re.findall(r'^([\w-]+)==', text, re.MULTILINE):
                for file in files_of(package):
                    os.symlink(file, os.path.join(to, os.path.basename(file)))


sanity.run_pip = link_packages
sys.argv[0] = 'ansible-test'
main()
