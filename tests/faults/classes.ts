/** All classes of faults, in the order in which they are made. */
import { children } from './classes/children.ts';
import { environment } from './classes/environment.ts';
import { errors } from './classes/errors.ts';
import { hostile } from './classes/hostile.ts';
import { kill } from './classes/kill.ts';
import { killOnHosts } from './classes/kill-on-hosts.ts';
import { limits } from './classes/limits.ts';
import { polite } from './classes/polite.ts';
import { races } from './classes/races.ts';
import { torn } from './classes/torn.ts';
import { power } from './classes/power.ts';
import type { FaultClass } from './fault-class.ts';

export const classes: readonly FaultClass[] = [
  kill,
  polite,
  killOnHosts,
  power,
  torn,
  errors,
  limits,
  children,
  hostile,
  environment,
  races,
];
