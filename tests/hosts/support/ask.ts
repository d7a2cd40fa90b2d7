/** Requests as text, for the wire. */
import type { Request } from './wire.ts';

/** Fields of a form or a query; undefined leaves one out. */
export type Changes = Readonly<Record<string, string | undefined>>;

export const form = (fields: Changes): string =>
  new URLSearchParams(
    Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined),
  ).toString();

/**
 * A request that is HTTP: what headers it lacks is added.
 *
 * @param line method and target
 */
export function ask(line: string, headers: readonly string[] = [], body?: string, port = 8083): Request {
  const text = headers.join('\n');
  const lines = [
    `${line} HTTP/1.1`,
    ...(/^host:/imu.test(text) ? [] : [`Host: 127.0.0.1:${port}`]),
    ...(/^connection:/imu.test(text) ? [] : ['Connection: close']),
    ...headers,
    ...(body === undefined || /^(?:content-length|transfer-encoding)\b/imu.test(text)
      ? []
      : [`Content-Length: ${body.length}`]),
  ];
  return { port, text: `${lines.join('\r\n')}\r\n\r\n${body ?? ''}` };
}

export const isForm = 'Content-Type: application/x-www-form-urlencoded';
export const isJson = 'Content-Type: application/json';
export const bearer = (token: string): string => `Authorization: Bearer ${token}`;

/** A call of the MCP server. */
export const mcp = (headers: readonly string[], target = '/mcp'): Request =>
  ask(`POST ${target}`, [isJson, ...headers], '{"jsonrpc":"2.0","id":1,"method":"ping"}');

/** The same request through nginx. */
export const throughNginx = ({ text }: Request): Request => ({
  port: 8084,
  text: text.replace('127.0.0.1:8083', '127.0.0.1:8084'),
});
