/**
 * Connected clients: the official ones, each with a store of its own on the host, so that it goes on as the same
 * client in a later run. The program is programs/client.mjs.
 */
import { createHmac } from 'node:crypto';
import { expect } from 'vitest';
import { testNode } from '../../support/form.ts';
import { until, type Host } from '../../support/host.ts';
import { secretsInFile } from '../../support/observe.ts';
import { programs } from './mcp-server.ts';
import { authority } from './site.ts';

/** @modelcontextprotocol/sdk (1.x) and @modelcontextprotocol/client (2.x). */
export type Library = 'sdk' | 'client';
export const libraries: readonly Library[] = ['sdk', 'client'];

export interface Tokens {
  readonly access_token: string;
  readonly token_type: string;
  readonly refresh_token?: string;
  readonly expires_in?: number;
  readonly scope?: string;
}

/** What the store holds. */
export interface Connection {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUri: string;
  /** Typed into the consent page, where that has a field for it. */
  readonly password?: string;
  /** The button that is pressed; default: allow. */
  readonly decision?: 'allow' | 'deny';
  /** Nobody is there to press a button: being asked to authorize is a failure. */
  readonly unattended?: boolean;
  /** What it calls itself; default: test. The MCP server goes by its last word, see programs/mcp-server.mjs. */
  readonly clientName?: string;
  /** Of the MCP server, where that is not the service with TLS: what it is connected to without any OAuth, say. */
  readonly url?: string;
  readonly tokens?: Tokens | undefined;
}

export interface RequestMade {
  readonly method: string;
  /** Without the origin, if that is the one it connects to. */
  readonly path: string;
  readonly authorization?: 'basic' | 'bearer';
  readonly grant?: string;
  /** With `Last-Event-ID`. */
  readonly resumed?: boolean;
  /** None: there was no answer. */
  readonly status?: number;
  /** Of `/token`. */
  readonly error?: string;
}

export interface Report {
  /** How often a person was asked, and allowed it. */
  readonly authorized: number;
  /** Results of the actions that were done. */
  readonly actions: Readonly<Record<string, unknown>>;
  readonly notifications: readonly { readonly method: string; readonly [name: string]: unknown }[];
  readonly requests: readonly RequestMade[];
  /** What the client library told its `onerror`. */
  readonly errors: readonly string[];
  readonly protocolVersion?: string;
  readonly sessionId?: string;
  readonly failure?: {
    readonly action: string;
    readonly name: string;
    readonly message: string;
    readonly code?: number | string;
  };
}

/** A client that is connected, and waits. */
export interface Held {
  /** It has come to its next `hold`. */
  reached(): Promise<void>;
  release(): void;
  /** Lets go of whatever hold is left. */
  finished(): Promise<Report>;
}

/** Everything that goes through a connection, in an order in which each can show itself. */
export const everything: readonly string[] = [
  'tools',
  'echo',
  'steps',
  'listen',
  'announce',
  'ask',
  'interrupted',
  'large',
  'end',
];

export const redirectUris: Readonly<Record<Library, string>> = {
  sdk: 'https://claude.ai/api/mcp/auth_callback',
  client: 'http://127.0.0.1:33418/callback',
};

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** The same access token, of an hour ago and expired for some minutes: made with the host's own TOKEN_SECRET. */
function expired(token: string, tokenSecret: string): string {
  const [head = '', payload = '', signature = ''] = token.split('.');
  const sign = (text: string): string => createHmac('sha256', tokenSecret).update(text).digest('base64url');
  // Else the token made here would be refused for its signature, and not for its age.
  expect(signature, 'the signature of an access token').toBe(sign(`${head}.${payload}`));
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Record<string, unknown>;
  const now = Math.floor(Date.now() / 1000);
  const old = `${head}.${encode({ ...claims, iat: now - 4000, exp: now - 400 })}`;
  return `${old}.${sign(old)}`;
}

export class ConnectedClient {
  readonly library: Library;
  private readonly host: Host;
  private readonly store: string;

  private constructor(host: Host, library: Library, name: string) {
    this.host = host;
    this.library = library;
    this.store = `/root/${name}.json`;
  }

  /** A client that was told the service's credentials, and has not connected yet. */
  static async create(
    host: Host,
    library: Library,
    more: Partial<Connection> & { readonly name?: string } = {},
  ): Promise<ConnectedClient> {
    const { name = `client-${library}`, ...changes } = more;
    const client = new ConnectedClient(host, library, name);
    const { CLIENT_ID: clientId, CLIENT_SECRET: clientSecret } = secretsInFile(host);
    await client.write({ clientId, clientSecret, redirectUri: redirectUris[library], ...changes });
    return client;
  }

  get connection(): Connection {
    return JSON.parse(this.host.read(this.store)) as Connection;
  }

  get tokens(): Tokens {
    const { tokens } = this.connection;
    if (tokens === undefined) throw new Error(`${this.store}: no tokens`);
    return tokens;
  }

  private write(connection: Connection): Promise<string> {
    return this.host.write(this.store, JSON.stringify(connection), '0600');
  }

  /** A person changes what was typed in, or who is there; tokens stay, unless they are among the changes. */
  async change(changes: Partial<Connection>): Promise<void> {
    await this.write({ ...this.connection, ...changes });
  }

  /** Its access token is now an expired one, so that it has to refresh. */
  async expire(): Promise<void> {
    const access_token = expired(this.tokens.access_token, secretsInFile(this.host).TOKEN_SECRET);
    await this.change({ tokens: { ...this.tokens, access_token } });
  }

  private command(actions: readonly string[]): string[] {
    return ['timeout', '120', testNode, `${programs}/client.mjs`, this.library, this.store, ...actions];
  }

  private readonly environment = { NODE_EXTRA_CA_CERTS: authority };

  private report(stdout: string, stderr: string): Report {
    try {
      return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Report;
    } catch {
      throw new Error(`${this.store}: no report of ${this.library}:\n${stdout}\n${stderr}`);
    }
  }

  /** Connects, does what is asked, disconnects. A failure is in the report. */
  async run(...actions: string[]): Promise<Report> {
    const { stdout, stderr } = await this.host.run(this.command(actions), { env: this.environment });
    return this.report(stdout, stderr);
  }

  /** As {@link run}, but it stays connected at each action `hold` until it is let go. */
  start(...actions: string[]): Held {
    const child = this.host.spawn(this.command(actions), { env: this.environment });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const closed = new Promise((resolve) => child.on('close', resolve));
    let holds = 0;
    return {
      reached: async () => {
        holds += 1;
        await until(`${this.store} holds`, () => {
          if (child.exitCode !== null) throw new Error(`${this.library} ended: ${stdout}${stderr}`);
          return stdout.split('holding\n').length > holds ? true : undefined;
        });
      },
      release: () => void child.stdin.write('\n'),
      finished: async () => {
        child.stdin.end();
        await closed;
        return this.report(stdout, stderr);
      },
    };
  }

  /** As {@link run}; a failure is an error with the whole report. */
  async must(...actions: string[]): Promise<Report> {
    const report = await this.run(...actions);
    if (report.failure !== undefined) throw new Error(`${this.library}: ${JSON.stringify(report, null, 2)}`);
    return report;
  }
}
