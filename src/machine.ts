/**
 * `mcp-installer/machine`: the machine alone, pure. No effects, nothing of Node: it runs in a browser as well, to be drawn,
 * replayed, walked, or given effects of one's own.
 */
export { installerMachine, machineVersion } from './machines/installer.ts';
export { withEffects, type MachineEffects } from './machines/provide.ts';
export { defaultRequest } from './machines/request.ts';
export { replay, replaySteps, type RecordedEvent, type Snapshot } from './machines/replay.ts';
export { stateSummaries, transitions, type StateSummary, type Transition } from './machines/diagram.ts';
export { toDot } from './diagram/dot.ts';
export { toJson } from './diagram/json.ts';
export { toMermaid } from './diagram/mermaid.ts';
export { pathOf, type PathStep, type RunPath } from './diagram/path.ts';
export { svgStyle } from './diagram/style.ts';
export { toSvg, type SvgOptions } from './diagram/svg.ts';
export type * from './machines/types.ts';
export type { FileIdentity, Obligation } from './facts.ts';
export {
  errorTable,
  InstallerError,
  isErrorCode,
  toPublicError,
  type ErrorCode,
  type PublicError,
} from './errors.ts';
