/**
 * The one door to the world. Every effect reads and changes a host through this port; its forms are the real host,
 * the dry run (changes reported, not made) and the memory host.
 *
 * Paths are absolute and meant below the host's root. Errors are {@link InstallerError}s with a code.
 */
import type { FileIdentity } from '../../facts.ts';

/** What a host tells of a path without opening it. */
export interface FileStatus {
  readonly type: 'file' | 'directory' | 'link' | 'other';
  /** Permission bits, `0o7777` at most. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Nanoseconds since the epoch. */
  readonly changedNs: bigint;
}

/** `predicted`: this host only reported the change. */
export type Change = 'changed' | 'predicted';

/** A program by its absolute path, with an argument array: there is no shell anywhere. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly input?: string;
  /** Milliseconds; the child is killed then. */
  readonly timeout?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Ends a program that only looks; one that changes something is never ended half way. */
  readonly signal?: AbortSignal;
}

/** How a program ended, whatever its exit code is. */
export interface CommandResult {
  /** 124 where it was killed after its timeout, 127 where the program is missing. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One request to an address of this host; redirects are not followed. */
export interface HttpRequest {
  readonly address: string;
  readonly port: number;
  readonly path: string;
  readonly method?: 'GET' | 'POST' | 'DELETE' | 'OPTIONS';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Speak TLS, asking for this server name. On loopback the certificate need not be judged: the listener is known. */
  readonly tls?: { readonly serverName: string; readonly judged: boolean };
  /** Milliseconds. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

/** The answer, or why there was none. */
export type HttpAnswer =
  | {
      readonly ok: true;
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
      /** Over TLS: sha256 of the certificate shown, as `AB:CD:…`. */
      readonly certificate?: string;
      /** The same certificate, DER. */
      readonly certificateBytes?: Uint8Array;
    }
  | { readonly ok: false; readonly why: string };

/** How a file is to be written, and what it may replace. */
export interface WriteOptions {
  readonly mode: number;
  /** What must still be there when the new file takes the name; null: nothing. Else E_CHANGED_UNDERWAY. */
  readonly expected: FileIdentity | null;
  /** Compare the bytes with `expected.hash` too; off for files whose hash is not kept (secrets). */
  readonly expectedBytes?: Uint8Array;
  /**
   * It was announced together with others, and that is on disk: the journal is not waited for. Its name is durable before
   * anything more is put on record, and not yet when it is written.
   */
  readonly announced?: boolean;
  /** Owner and group where they are not root's: a file that is put back belongs to whom it belonged. */
  readonly ownership?: { readonly uid: number; readonly gid: number };
}

/** The looks at a host: they change nothing. */
export interface HostReads {
  /** `/`, or the directory that stands for it. */
  readonly root: string;
  /** The uid that stands for root. */
  readonly owner: number;
  /** The gid that stands for root's. */
  readonly group: number;
  /** null where nothing is there. E_PATH_UNSAFE where a directory on the way cannot be trusted. */
  lstat(path: string): FileStatus | null;
  /** Bytes of a regular file, null where nothing is there; never follows a link. */
  readFile(path: string): Uint8Array | null;
  /** Target of a symlink, null where there is none. */
  readLink(path: string): string | null;
  /** Names in a directory, sorted; null where it is missing. */
  list(path: string): readonly string[] | null;
  /** Does a regular file stand there, links followed inside the root? For other people's files (certificates). */
  isFile(path: string): boolean;
  /** The running system's own files (/proc, /sys, /run), never below another root; null where unreadable. */
  readSystem(path: string): Uint8Array | null;
  listSystem(path: string): readonly string[] | null;
  linkSystem(path: string): string | null;
  /** Runs a program that changes nothing. */
  query(command: Command): Promise<CommandResult>;
  http(request: HttpRequest): Promise<HttpAnswer>;
  /** Waits for `milliseconds` between two looks at something that takes its time; rejects when `signal` aborts. */
  pause(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/**
 * The changes of a host. Each one is made whole or not at all, and rejects with E_WRITE_FAILED where it cannot be
 * made.
 */
export interface HostChanges {
  makeDirectory(path: string, mode: number): Promise<Change>;
  writeFile(path: string, bytes: Uint8Array, options: WriteOptions): Promise<Change>;
  /** Makes or replaces a symlink; no temporary name ever appears beside it. */
  makeLink(path: string, target: string, expected: FileIdentity | null): Promise<Change>;
  /** A file, a link, or an empty directory; `changed` too where it is gone already. */
  remove(path: string): Promise<Change>;
  /** A directory with everything in it, whoever's it is; never what links in it lead to, nor another file system. A link itself. */
  removeTree(path: string): Promise<Change>;
  setMode(path: string, mode: number): Promise<Change>;
  /** Runs a program that changes the host; `predicted` where this host only reports it. */
  change(command: Command): Promise<CommandResult | 'predicted'>;
}

/** A host, real or not: what effects read of it and change on it. */
export interface Host extends HostReads, HostChanges {}
