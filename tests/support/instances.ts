/** A host with a plain installation and a second one beside it. */
import { expectExit, installed, type Place } from './place.ts';

export const envOf = (instance: string): string => `/etc/mcp-oauth-proxy-${instance}/.env`;
export const settingOf = (root: Place, env: string, key: string): string | null =>
  new RegExp(`^${key}=(.*)$`, 'mu').exec(root.read(env))?.[1] ?? null;

/** The instance is `b`. */
export async function both(args: readonly string[] = []): Promise<Place> {
  const root = await installed();
  expectExit(await root.install(['--instance', 'b', ...args]), 0);
  return root;
}
