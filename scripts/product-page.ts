/** The reference of what a product file may hold: tables from its schema, and what fields have to do with each other. */
import { toJsonSchema } from '@valibot/to-json-schema';
import { productFileSchema } from '../src/products/service/definition.ts';

interface Field {
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Field[];
  readonly items?: Field;
  readonly properties?: Readonly<Record<string, Field>>;
  readonly required?: readonly string[];
}

type Table = (head: readonly string[], rows: readonly (readonly string[])[]) => string;

export const productSchema = {
  title: 'A product file of mcp-installer',
  ...toJsonSchema(productFileSchema, { errorMode: 'ignore' }),
};

function kindOf({ type, enum: values, anyOf, items }: Field): string {
  if (values !== undefined) return values.map((value) => `\`${String(value)}\``).join(', ');
  if (anyOf !== undefined) return anyOf.map(kindOf).join(' or ');
  if (type === 'array') return `list of ${items?.type === 'object' ? 'objects' : `${items?.type ?? ''}s`}`;
  return type ?? '';
}

function fieldTable(table: Table, { properties = {}, required = [] }: Field): string {
  const rows = Object.entries(properties)
    .filter(([name]) => name !== '$schema')
    .map(([name, field]) => [
      `\`${name}\``,
      required.includes(name) ? 'yes' : '',
      kindOf(field),
      field.description ?? '',
    ]);
  return table(['field', 'needed', 'kind', 'what'], rows);
}

const types: readonly (readonly [string, string])[] = [
  ['port', 'a number from 1024 to 65535'],
  ['integer', '`minimum` to `maximum`'],
  ['host', 'a host name, `api.example.org`'],
  ['url', 'an http or https URL without user name and password'],
  ['path', 'an absolute path of letters, digits and `_@%+=:,.-/`'],
  ['file', 'such a path of a file that exists when it is given'],
  ['word', '1 to 128 of `A-Z a-z 0-9 . _ -`'],
  ['choice', 'one of `choices`'],
  ['flag', 'given or not; no value, no default'],
  [
    'text',
    "one line of up to 256 characters without `'` and `\\`, and without blanks around it; only in files with `template: json`, `url` and `next`",
  ],
];

const targets: readonly (readonly [string, string])[] = [
  ['`unit`, `socket`', 'as it is, with `%` doubled, which means something to systemd'],
  ['`nginx.site`, a file with `template: plain`', 'as it is; a flag is 1 or 0'],
  [
    'a file with `template: json`',
    'a JSON literal, quotes included: a number, `true` or `false`, or a string; YAML and TOML read it too',
  ],
  ['`url`, `next`', 'as it is, for people'],
];

export function productPage(table: Table): string {
  const { properties = {} } = productSchema as Field;
  const section = (name: string): string =>
    fieldTable(table, properties[name]?.items ?? properties[name] ?? {});
  return `# Product files

What \`install --product FILE\` and \`status --product FILE\` read: a service of your own as data, in YAML or JSON, with its files beside it. How to write one: [another product](../how-to/another-product.md). For editors there is a [JSON Schema](product.schema.json), in the package \`mcp-installer/product.schema.json\`; the first line \`# yaml-language-server: $schema=PATH\` names it: \`node_modules/mcp-installer/docs/reference/product.schema.json\` where the package is installed.

A product file is as good as a program: its unit runs what it likes, as root if it says so. Install none that you would not run.

\`defineService(definition)\` of the library takes the same fields, with the texts themselves instead of names of files: \`unit\`, \`socket\` and \`nginx.site\` are strings, and a file has \`content\` (a string or bytes) instead of \`from\`.

## Fields

${fieldTable(table, productSchema as Field)}
There are no other fields: an unknown one is refused.

### secrets

${section('secrets')}
A secret stands in the env file and in the environment of the service, and nowhere else: in no other file, no log, no journal.

### settings

${section('settings')}
${table(['type', 'values'], types)}
A setting is an option of \`install\` (\`--log-level\`), a variable of its environment (\`MCP_INSTALLER_LOG_LEVEL\`) and a line of \`--config FILE\` (\`LOG_LEVEL=…\`), and is remembered in the env file. One without a default that a template needs has to be given.

### files

${section('files')}
A change of a file below \`/usr/local/lib/NAME\`, \`/usr/local/share/NAME\` or \`/etc/NAME\` restarts the service. \`/etc/NAME\` has mode 0700, so only root reads there; everybody reads the other two. For a service with another user put it below \`/usr/local/lib/NAME\`, or let systemd hand it over:

\`\`\`ini
LoadCredential=NAME.json:/etc/NAME/NAME.json
ExecStart=/usr/bin/NAME \${CREDENTIALS_DIRECTORY}/NAME.json
\`\`\`

A file that was edited on the host is kept where the new version is no other, and that is said.

### nginx

${section('nginx')}
The site becomes \`/etc/nginx/sites-available/NAME.conf\` with its link in \`sites-enabled\`. \`nginx -t\` judges it before nginx is told, and after a reload nginx is asked on loopback until it shows \`{{marker}}\` of this version. It needs \`port\` and \`health\`: the first health path is asked through the site and has to answer 200.

## Templates

\`{{NAME}}\` stands for a setting, or for \`{{name}}\`, \`{{envFile}}\` (\`/etc/NAME/.env\`), \`{{codeDirectory}}\` (\`/usr/local/lib/NAME\`) and, in a site, \`{{marker}}\`. NAME is a setting's key, in a file too: \`"maxBytes": {{MAX_BYTES}}\`. Anything else between double braces is refused, and so is a secret. A value is written for what reads it:

${table(['where', 'how'], targets)}
## What the installer relies on

- The unit has \`EnvironmentFile={{envFile}}\` once, one \`ExecStart=\`, \`WantedBy=multi-user.target\`, and a \`Type=\` whose main process is watched: \`simple\` (the default), \`exec\`, \`notify\`, \`notify-reload\`.
- A socket has \`ListenStream=127.0.0.1:{{PORT}}\` once, with the setting that \`port\` names, and \`WantedBy=sockets.target\`. Without one the main process itself listens on 127.0.0.1.
- \`port\` names a setting of type \`port\` with a default. \`socket\`, \`health\` and \`nginx\` need it.
- Without \`health\` the service is healthy as long as its process runs; with \`port\` it also has to listen there.
- Names of secrets and settings are one set, and are none of those that systemd or the shell use (\`PATH\`, \`HOME\`, \`LD_…\`). Options are none of the installer's.
- Nothing is installed outside of the service's own places, over the unit of a Debian package (\`E_NAME_TAKEN\`), or over a file of another product (\`E_PATH_CLAIMED\`).

## What is wrong is told at once

Exit 64, \`E_PRODUCT_INVALID\`, one line for each problem with file, line, column, field and what would be valid: first what is wrong with single fields, and once they are right what fields and files have to do with each other.

## Several products on one host

Each has its own secrets, files and unit; the journal in \`/var/lib/mcp-installer\` and its lock are shared. What is known of one (its files, that its secrets were made, which were supplied) counts for no other. An interrupted run is finished by the next run of the same product: another product's run leaves its restart owed. A reload of systemd or nginx that is owed is everybody's, and done by whoever comes first.
`;
}
