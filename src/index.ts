/**
 * The library: the machine, the effects for a real host, the dry run and memory, one function that runs them together,
 * the product that ships, and the journal's reader. ESM; xstate 5 is a peer dependency.
 */
export { install, type InstallOptions, type InstallResult } from './install.ts';
export { plainRequest, type Asked } from './request.ts';
export {
  status,
  type InstallationBeside,
  type SecretStatus,
  type Status,
  type StatusOptions,
} from './status/index.ts';
export type { BackendStatus } from './effects/backend.ts';
export type { CertificateDates, CertificateStatus } from './effects/certificate.ts';
export type { Health } from './effects/condition.ts';

export * from './machine.ts';
export {
  fromInstall,
  type CancelInstall,
  type InstallInput,
  type InstallLogic,
  type InstallSnapshot,
  type InstallTold,
} from './embed/from-install.ts';
export type { InstallProgress } from './embed/progress.ts';

export { createEffects, type Effects } from './effects/index.ts';
export {
  createScope,
  type Asker,
  type JournalBeside,
  type Progress,
  type RunState,
  type Scope,
  type ScopeOptions,
} from './effects/scope.ts';
export { createRealHost, type RealHostOptions } from './effects/host/real.ts';
export { createDryRunHost } from './effects/host/dry-run.ts';
export {
  createMemoryHost,
  type MemoryHost,
  type MemoryHostOptions,
  type MemoryNode,
} from './effects/host/memory.ts';
export type * from './effects/host/port.ts';

export { createMcpOauthProxy, mcpOauthProxy } from './products/mcp-oauth-proxy/index.ts';
export { readProductFile } from './product-file.ts';
export { defineService, type ServiceFunctions } from './products/service/index.ts';
export type { ServiceDefinition } from './products/service/definition.ts';
export type * from './products/product.ts';
export { instanceOf, type Claims, type FreePorts, type Instances } from './products/instances.ts';

export { journalDirectory, journalDirectoryOf, openJournalHome, type JournalHome } from './journal-home.ts';
export type { Trust } from './effects/host/resolve.ts';
export {
  findRun,
  memoryOf,
  readMemory,
  readRun,
  runIds,
  type Remembered,
  type Run,
} from './journal/reader.ts';
export { journalFormat, type JournalRecord } from './journal/record.ts';
export { type Fact } from './facts.ts';
export {
  emptyMemory,
  memoryFor,
  remember,
  type Memory,
  type OwedByRun,
  type ProductMemory,
} from './memory.ts';

export type { ResultEvent, RunEvent } from './run-events.ts';
export { version } from './version.ts';
