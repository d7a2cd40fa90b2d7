/** The service and its units: files and links, whatever the web server does. */
import type { DesiredFile, DesiredLink, Settings } from '../product.ts';
import type { Names } from './names.ts';
import { isLoopback } from '../validators.ts';
import { portOf } from './settings.ts';
import { serviceUnit, socketUnit } from './units.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8');

export function serviceFiles(names: Names, values: Settings, code: Uint8Array): readonly DesiredFile[] {
  const backend = new URL(values['BACKEND_URL'] ?? 'http://127.0.0.1');
  const common = { mode: 0o644, unknown: 'adopt' } as const;
  return [
    { ...common, path: names.codeFile, role: 'service', content: code, affects: ['service'] },
    {
      ...common,
      path: names.socketFile,
      role: 'socket unit',
      content: bytes(socketUnit(names, portOf(values))),
      affects: ['unit', 'socket'],
    },
    {
      ...common,
      path: names.serviceFile,
      role: 'systemd unit',
      content: bytes(serviceUnit(names, { remoteBackend: !isLoopback(backend.hostname) })),
      affects: ['unit', 'service'],
    },
  ];
}

export const serviceLinks = (names: Names): readonly DesiredLink[] => [
  {
    path: names.socketLink,
    target: names.socketFile,
    role: 'enablement of the socket',
    affects: ['unit'],
    unknown: 'adopt',
  },
  {
    path: names.serviceLink,
    target: names.serviceFile,
    role: 'enablement of the service',
    affects: ['unit'],
    unknown: 'adopt',
  },
];
