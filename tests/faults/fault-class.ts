/** What a class of faults is: one file in `classes/` that exports one, and its name in `classes.ts`. */
import type { Prepared } from './prepared.ts';

/** How one injection ended. */
export interface Verdict {
  /** Did the fault happen where it was meant to? An injection that did not happen shows nothing. */
  readonly fired: boolean;
  /** What did not hold afterwards, in words; none: survived. */
  readonly problems: readonly string[];
}

/** One fault at one place. */
export interface Injection {
  /** `CLASS/SCENARIO/FAULT/PLACE`, the same in every campaign. */
  readonly id: string;
  /** Belongs to the sample of `faults:quick`. */
  readonly quick: boolean;
  make(): Promise<Verdict>;
}

/** One kind of fault. */
export interface FaultClass {
  /** Digits and letters: the first part of the ids. */
  readonly id: string;
  readonly title: string;
  /** Programs it needs; installed where they are missing. */
  readonly needs: readonly string[];
  /** Only these scenarios are prepared for it. */
  readonly scenarios: readonly string[];
  injections(prepared: readonly Prepared[]): Promise<readonly Injection[]>;
}

/** A campaign in numbers, as `--summary` writes them. */
export interface Campaign {
  /** How many injections were made at once. */
  readonly cores: number;
  /** How long all of it took. */
  readonly seconds: number;
  readonly classes: readonly {
    readonly id: string;
    readonly title: string;
    readonly made: number;
    readonly fired: number;
    readonly survived: number;
  }[];
}
