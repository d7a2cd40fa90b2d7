/**
 * `mcp-installer/testing`: for the tests of programs that embed the installer, and of products and effects of one's own.
 * The project's own tests use the same.
 */
export {
  createMemoryHost,
  type MemoryHost,
  type MemoryHostOptions,
  type MemoryNode,
} from './effects/host/memory.ts';
export {
  createFaultyHost,
  type Fault,
  type FaultyCall,
  type FaultyHost,
  type HostCall,
} from './testing/faulty.ts';
export {
  pathRequests,
  pathsOver,
  type MachinePath,
  type PathEvent,
  type MachineStep,
} from './testing/paths.ts';
export { scriptedEffects, somePlan, type EffectsScript } from './testing/scripted.ts';
