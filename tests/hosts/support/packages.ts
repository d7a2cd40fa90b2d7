/** Debian packages that tests need on this machine, not on the hosts: installed where they are missing. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { cacheDir } from './base.ts';

/** @param program by its path; one run at a time installs, however many tests ask */
export function needProgram(program: string, debianPackage: string): string {
  if (existsSync(program)) return program;
  mkdirSync(cacheDir, { recursive: true });
  const install = `[ -e ${program} ] || { apt-get update -qq && apt-get install -y -qq --no-install-recommends ${debianPackage}; }`;
  execFileSync('flock', [`${cacheDir}/tools.lock`, 'sh', '-c', install], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  return program;
}
