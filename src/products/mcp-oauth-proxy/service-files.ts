/** The service and its units: files and links, whatever the web server does. */
import type { DesiredFile, DesiredLink, Settings } from '../product.ts';
import { product } from './names.ts';
import { isLoopback } from '../validators.ts';
import { portOf } from './settings.ts';
import { serviceUnit, socketUnit } from './units.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8');

export function serviceFiles(values: Settings, code: Uint8Array): readonly DesiredFile[] {
  const backend = new URL(values['BACKEND_URL'] ?? 'http://127.0.0.1');
  const common = { mode: 0o644, unknown: 'adopt' } as const;
  return [
    { ...common, path: product.codeFile, role: 'service', content: code, affects: ['service'] },
    {
      ...common,
      path: product.socketFile,
      role: 'socket unit',
      content: bytes(socketUnit(portOf(values))),
      affects: ['unit', 'socket'],
    },
    {
      ...common,
      path: product.serviceFile,
      role: 'systemd unit',
      content: bytes(serviceUnit({ remoteBackend: !isLoopback(backend.hostname) })),
      affects: ['unit', 'service'],
    },
  ];
}

export const serviceLinks: readonly DesiredLink[] = [
  {
    path: product.socketLink,
    target: product.socketFile,
    role: 'enablement of the socket',
    affects: ['unit'],
    unknown: 'adopt',
  },
  {
    path: product.serviceLink,
    target: product.serviceFile,
    role: 'enablement of the service',
    affects: ['unit'],
    unknown: 'adopt',
  },
];
