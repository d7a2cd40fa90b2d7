/**
 * What a product is: data. Directories, files from templates, secrets, settings, units, packages, health.
 *
 * Machines, effects and journal know products only through this type.
 */
import type { ErrorCode } from '../errors.ts';
import type { Mode, Note, SecretReport } from '../machines/types.ts';
import type { Instances } from './instances.ts';

interface AnySecret {
  readonly name: string;
  /** What it is for, and who has to do something when it is rotated; sentences for people. */
  readonly purpose: string;
  readonly afterRotation: string;
}

/** How the random bytes of a generated secret are written; `alphanumeric` is A-Z a-z 0-9. */
export type SecretFormat = 'hex' | 'base64url' | 'alphanumeric';

/** Always there: generated where nobody brings it along. */
export interface GeneratedSecret extends AnySecret {
  readonly optional?: false;
  /** Random bytes: how hard it is to guess, whatever its format. */
  readonly bytes: number;
  /** `hex` (lower case) where nothing is said. */
  readonly format?: SecretFormat;
  /** Option that takes its value from a file, without dashes, where a user may bring it along. */
  readonly fileOption?: string;
  /** Judges a value from such a file; `why` must not repeat it. */
  readonly validate?: (value: string) => Validated;
}

/**
 * There where a user brings it along, and only there: never generated, so neither healed nor rotated without a new file;
 * `--unset` removes it.
 */
export interface OptionalSecret extends AnySecret {
  readonly optional: true;
  readonly fileOption: string;
  readonly validate: (value: string) => Validated;
}

/** A secret of a product: kept in the env file, generated unless it is optional. */
export type SecretSpec = GeneratedSecret | OptionalSecret;

/** Values of settings by their name in the env file. */
export type Settings = Readonly<Record<string, string>>;

/** A valid value in its canonical spelling, or why it is none (`what would be valid`, half a sentence). */
export type Validated =
  { readonly ok: true; readonly value: string } | { readonly ok: false; readonly why: string };

/** A setting of a product: an option, an environment variable and a line of the env file. */
export interface SettingSpec {
  /** Its key in the env file: `LISTEN_PORT`. */
  readonly key: string;
  /** Its long option without dashes: `port`; the environment variable follows from it. */
  readonly option: string;
  /** A flag has no value on the command line; remembered as `1`. */
  readonly kind: 'text' | 'file' | 'flag';
  readonly description: string;
  /** Placeholder in the help: `HOST`. */
  readonly placeholder: string;
  readonly default?: string;
  validate(value: string): Validated;
}

/** What a product may look at while it says what should be. */
export interface HostView {
  /** A regular file, links followed inside the root; nothing; or why that cannot be told or used. */
  fileAt(path: string): 'file' | 'missing' | { readonly why: string };
  /** Does the name stand there, whatever it is? */
  exists(path: string): boolean;
  /** Text of a managed file that holds no secret, null where it is missing. */
  readText(path: string): string | null;
  /** Text of other software's file, links followed inside the root; null where it cannot be read. */
  foreignText(path: string): string | null;
  /** Names in a directory; null where it cannot be read. */
  list(path: string): readonly string[] | null;
  readonly ipv6: boolean;
}

/** A directory that should be there. */
export interface DesiredDirectory {
  readonly path: string;
  readonly mode: number;
  /** Shared with other software: made where it is missing, never changed. */
  readonly shared: boolean;
  /** The package that brings it: not made where that package is about to be installed. */
  readonly providedBy?: string;
}

/** What a running program must be told when a file changes. */
export type Affects = 'service' | 'socket' | 'unit' | 'web';

/** A file that should be there, and what is to be done where another one is. */
export interface DesiredFile {
  readonly path: string;
  readonly mode: number;
  /** service, unit, socket, site, snippet: words for the reader and for the plan's lines. */
  readonly role: string;
  readonly content: Uint8Array;
  readonly affects: readonly Affects[];
  /**
   * On a host that no journal knows: `adopt` replaces it with a backup, `keep` takes it for edited and leaves it, `ask`
   * takes it for edited where a change of ours meets the edit.
   */
  readonly unknown: 'adopt' | 'keep' | 'ask';
  /**
   * A person's edit of it changes numbers, not what is served: what is served is judged all the same. An edit that
   * `satisfiedBy` denies is one that breaks what is served.
   */
  readonly tunable?: boolean;
  /** Does a person's edited version already do what the new one would? Then it is kept without asking. */
  readonly satisfiedBy?: (text: string) => boolean;
  /** Is an edited version still one of ours? One that never was is not enabled by us either. */
  readonly isOurs?: (text: string) => boolean;
}

/** A symlink that should be there. */
export interface DesiredLink {
  readonly path: string;
  readonly target: string;
  readonly role: string;
  readonly affects: readonly Affects[];
  /** Something else in its place that no journal knows: `adopt` replaces it, `keep` takes it for edited. */
  readonly unknown: 'adopt' | 'keep';
}

/** What a host should hold, for some settings. */
export interface Desired {
  readonly directories: readonly DesiredDirectory[];
  readonly files: readonly DesiredFile[];
  readonly links: readonly DesiredLink[];
  /** What an earlier run may have written, and is left as it is now: neither kept up to date nor taken away. */
  readonly leaves?: readonly string[];
  /** Settings in force, defaults and derived values included: what the env file has to hold. One left out is forgotten. */
  readonly settings: Settings;
  readonly packages: readonly string[];
  /** null where nginx is left alone. */
  readonly web: WebProbe | null;
  readonly notes: readonly Note[];
}

/** How the web server is asked on loopback which configuration it serves. */
export interface WebProbe {
  readonly port: number;
  readonly serverName: string | null;
  readonly tls: boolean;
  /** Answers `marker` as plain text once the new configuration is served. */
  readonly markerPath: string;
  readonly marker: string;
  readonly site: string;
  /** Does a site with this text show the marker? One that a person wrote need not. */
  readonly showsMarker: (site: string) => boolean;
  /** PEM file of the certificate that has to be served; null without TLS. */
  readonly certificate: string | null;
  /** Status that `healthPath` has to have through the web server: 200, or 503 while a certificate is missing. */
  readonly healthStatus: number;
}

/** What should be there, or why nothing can be desired. */
export type DesiredResult =
  | { readonly ok: true; readonly desired: Desired }
  | { readonly ok: false; readonly code: ErrorCode; readonly values: Readonly<Record<string, string>> };

/** HTTP towards the running service, after its listener was proven to be the unit's own. */
export interface ServiceProbe {
  request(options: {
    readonly path: string;
    readonly method?: 'GET' | 'POST';
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  }): Promise<
    { readonly status: number; readonly body: string } | { readonly status: null; readonly body: string }
  >;
  /** The backend behind the service, where a bearer is tried; null status where it does not answer. */
  backend(headers: Readonly<Record<string, string>>): Promise<{ readonly status: number | null }>;
}

/** Secrets before and after a rotation, for its proof. The one place where a product sees their values. */
export interface Rotation {
  /** Those whose values changed. */
  readonly names: readonly string[];
  /** Values of all secrets by name, also of those that stay; one that was not there is missing. */
  readonly before: Readonly<Record<string, string>>;
  /** The same after it. */
  readonly after: Readonly<Record<string, string>>;
  readonly settings: Settings;
}

/** `failed` is half a sentence without any value: the rotation did not take effect. */
export interface RotationProof {
  /** null where it took effect, or where that cannot be told: a note then says so. */
  readonly failed: string | null;
  /** What is told all the same, as what could not be proven. */
  readonly notes: readonly Note[];
}

/** A run that ended well. */
export interface Finished {
  readonly mode: Mode;
  /** Those in force. */
  readonly settings: Settings;
  readonly secrets: readonly SecretReport[];
}

/** What is installed, as data: its files, secrets and settings, its units, and how to tell that it works. */
export interface Product {
  readonly name: string;
  /** Left out where a host has one of it alone. */
  readonly instances?: Instances;
  /** A sentence for `--help`. */
  readonly description: string;
  readonly directory: string;
  /** Secrets, then settings. The unit reads it with `EnvironmentFile=`: that its process has them is verified. */
  readonly envFile: string;
  /** The one file that `--source` may replace; null where there is none of that kind. */
  readonly codeFile: string | null;
  readonly service: string;
  /** Name of its socket unit, which listens on `listenPort`; null where the service listens by itself, or not at all. */
  readonly socket: string | null;
  /** Directories below /var/lib that are the service's own (`StateDirectory=` of its unit): only a purge removes them. */
  readonly state: readonly string[];
  /** The web server's unit: looked at where `desired` wants something of it. */
  readonly webUnit: string;
  /** Paths that tell of an installation though the env file is gone. */
  readonly traces: readonly string[];
  readonly secrets: readonly SecretSpec[];
  readonly settings: readonly SettingSpec[];
  /** What `codeFile` holds without --source; empty where there is no such file. */
  readonly bundledCode: Uint8Array;
  /** The first path that answers 200 makes the service healthy. None: it is healthy as long as its process stays. */
  readonly healthPaths: readonly string[];
  /** Its port on loopback; null for a service that listens nowhere, which then has no health paths either. */
  listenPort(settings: Settings): number | null;
  /** What clients are given to connect to; null where there is nothing of that kind. */
  endpoint(settings: Settings): string | null;
  /** URL of what stands behind the service, which is asked whether it is there; null where nothing does. */
  backend(settings: Settings): string | null;
  /** What people call the endpoint (`MCP URL`) and the backend (`MCP server`). */
  readonly words: { readonly endpoint: string; readonly backend: string };
  /** Is this a setting that a fresh install should be asked for on a terminal? */
  readonly askFor: readonly string[];
  desired(input: {
    readonly settings: Settings;
    /** Those of them that were given for this run: what takes something away is never merely remembered. */
    readonly given: Settings;
    readonly view: HostView;
    readonly code: Uint8Array;
  }): DesiredResult;
  /**
   * How what the installer wrote last, as it stands on disk, is asked for: it may be older than what is desired, or there
   * where nothing can be desired. null where it does not stand there.
   */
  webOnDisk(settings: Settings, view: HostView): WebProbe | null;
  proveRotation(rotation: Rotation, probe: ServiceProbe): Promise<RotationProof>;
  /** What somebody has to be told where the settings of an installation change. */
  settingsChanged(before: Settings, after: Settings): readonly Note[];
  /** What to type where, and whom to tell what, after a run; the secrets stay in the env file. */
  nextSteps(finished: Finished): readonly string[];
}
