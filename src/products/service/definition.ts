/**
 * What a service is described by: the schema behind `defineService` and behind `--product FILE`, whose files stand beside
 * it instead of in it. What a field may hold by itself is said here; what fields have to do with each other is in
 * checks.ts.
 */
import * as v from 'valibot';
import { fields, key, option, port, words } from './fields.ts';

const maxBytes = 16 * 1024 * 1024;

const settingTypes = [
  'port',
  'integer',
  'host',
  'url',
  'path',
  'file',
  'word',
  'choice',
  'flag',
  'text',
] as const;

const setting = fields({
  key: key(
    'Its name in the env file, and so in the environment of the service: [A-Z][A-Z0-9_]*, up to 64 characters.',
  ),
  type: v.pipe(
    v.picklist(settingTypes, `it must be one of ${settingTypes.join(', ')}`),
    v.description('What its values may be.'),
  ),
  description: words('What it is for; shown in --help.'),
  option: v.optional(
    option('Its option without dashes; without this its name in lower case: LOG_LEVEL is --log-level.'),
  ),
  default: v.optional(
    v.pipe(
      v.union([v.string(), v.number(), v.boolean()], 'a text, a number or true/false is needed'),
      v.description('In force where nobody gives a value; a string too, as on the command line.'),
    ),
  ),
  choices: v.optional(
    v.pipe(
      v.array(
        v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'a choice is of A-Z a-z 0-9 . _ -')),
        'a list is needed',
      ),
      v.minLength(1, 'at least one choice is needed'),
      v.description('Of type choice: the values that are valid.'),
    ),
  ),
  minimum: v.optional(
    v.pipe(
      v.number('a number is needed'),
      v.integer('a whole number is needed'),
      v.description('Of type integer: its lower end, 0 without this.'),
    ),
  ),
  maximum: v.optional(
    v.pipe(
      v.number('a number is needed'),
      v.integer('a whole number is needed'),
      v.description('Of type integer: its upper end, 2147483647 without this.'),
    ),
  ),
  ask: v.optional(
    v.pipe(
      v.boolean('true or false is needed'),
      v.description('Ask for it on a terminal, in a fresh installation.'),
    ),
  ),
});

const secret = fields({
  name: key(
    'Its name in the env file, and so in the environment of the service: [A-Z][A-Z0-9_]*, up to 64 characters.',
  ),
  purpose: words('What it is for.'),
  afterRotation: words('Who has to do what once it has another value.'),
  bytes: v.optional(
    v.pipe(
      v.number('a number is needed'),
      v.integer('a whole number is needed'),
      v.minValue(16, 'fewer than 16 random bytes can be guessed'),
      v.maxValue(512, 'more than 512 random bytes are of no use'),
      v.description('How many random bytes it holds, 16 to 512; 32 without this.'),
    ),
  ),
  format: v.optional(
    v.pipe(
      v.picklist(['hex', 'base64url', 'alphanumeric'], 'it must be one of hex, base64url, alphanumeric'),
      v.description('How its random bytes are written, hex without this.'),
    ),
  ),
  fileOption: v.optional(
    option(
      'The option, without dashes, that takes its value from a file: 12 to 4096 of A-Z a-z 0-9 . _ ~ + / = : , @ % ! ? * -',
    ),
  ),
  optional: v.optional(
    v.pipe(
      v.boolean('true or false is needed'),
      v.description('Never generated: there where its fileOption brings it along, and only there.'),
    ),
  ),
});

const health = v.pipe(
  v.string('a path is needed, such as /healthz'),
  v.regex(/^\/[A-Za-z0-9._~/-]{0,199}$/, 'it must begin with / and be of A-Z a-z 0-9 . _ ~ / -'),
);

const web = <T extends v.GenericSchema>(site: T) =>
  fields({
    site,
    port: port(
      'The port of the site that the installer asks, on loopback, whether nginx serves it: 80, 443.',
    ),
    serverName: v.optional(key('The setting, of type host, that is the server_name of the site.')),
    certificate: v.optional(key('The setting, of type file, that is the ssl_certificate of the site.')),
  });

/** @param content the fields by which a file has its bytes; @param text how a unit or a site is given */
function schemaOf<C extends v.ObjectEntries, T extends v.GenericSchema>(
  content: C,
  text: (description: string) => T,
) {
  const file = fields({
    path: v.pipe(
      v.string('an absolute path is needed'),
      v.description(
        'Where it is installed: below /usr/local/lib/NAME, /usr/local/share/NAME or /etc/NAME, or as /usr/local/bin/NAME or /etc/logrotate.d/NAME.',
      ),
    ),
    ...content,
    executable: v.optional(
      v.pipe(v.boolean('true or false is needed'), v.description('Mode 0755 instead of 0644.')),
    ),
    template: v.optional(
      v.pipe(
        v.picklist(['plain', 'json'], 'it must be one of plain, json'),
        v.description(
          'Replace {{SETTING}} in it: by the value as it is (plain), or by a JSON literal, which YAML and TOML read too (json). Without this no byte is changed.',
        ),
      ),
    ),
  });
  return fields({
    name: v.pipe(
      v.string('a name is needed'),
      v.regex(
        /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
        'it must be of a-z, 0-9 and single hyphens, beginning with a letter',
      ),
      v.minLength(2, 'it must have at least 2 characters'),
      v.maxLength(32, 'it must have at most 32 characters'),
      v.description(
        'Names the service, its unit (NAME.service) and its directories (/etc/NAME, /usr/local/lib/NAME): 2 to 32 of a-z, 0-9 and single hyphens, beginning with a letter.',
      ),
    ),
    description: words('What it is; shown in --help.'),
    unit: text(
      'Its systemd unit; {{envFile}}, {{codeDirectory}}, {{name}} and {{SETTING}} stand for values.',
    ),
    socket: v.optional(
      text('Its socket unit, where systemd listens for it; it gets the port as file descriptor 3.'),
    ),
    port: v.optional(
      key(
        'The setting, of type port, that is its port on 127.0.0.1: its name, such as PORT, not a number.',
        'the name of a setting of type port is needed, such as PORT; the number is its default',
      ),
    ),
    health: v.optional(
      v.pipe(
        v.array(health, 'a list of paths is needed'),
        v.minLength(1, 'at least one path is needed'),
        v.description(
          'Paths on its port; the first one that answers 200 makes it healthy. Without this its process has to stay.',
        ),
      ),
    ),
    secrets: v.pipe(
      v.array(secret, 'a list of secrets is needed'),
      v.minLength(1, 'at least one secret is needed'),
      v.description(
        'Its secrets, in the order in which a fresh env file has them; at least one is generated.',
      ),
    ),
    settings: v.optional(
      v.pipe(
        v.array(setting, 'a list of settings is needed'),
        v.description('What can be chosen; remembered in the env file, below the secrets.'),
      ),
    ),
    files: v.optional(
      v.pipe(v.array(file, 'a list of files is needed'), v.description('Its code and its configuration.')),
    ),
    packages: v.optional(
      v.pipe(
        v.array(
          v.pipe(
            v.string('a name is needed'),
            v.regex(/^[a-z0-9][a-z0-9+.-]{1,99}$/, 'it must be the name of a Debian package'),
          ),
          'a list of names is needed',
        ),
        v.description('Debian packages that it needs.'),
      ),
    ),
    nginx: v.optional(
      v.pipe(
        web(text('The site; {{marker}} stands in its server block.')),
        v.description('A site of nginx in front of it.'),
      ),
    ),
    url: v.optional(words('What its clients are given; {{SETTING}} stands for a value.')),
    next: v.optional(
      v.pipe(
        v.array(words('A line.'), 'a list of lines is needed'),
        v.description('Lines to tell after an installation; {{SETTING}} stands for a value.'),
      ),
    ),
  });
}

const bytesOrText = v.union(
  [v.string(), v.custom<Uint8Array>((value) => value instanceof Uint8Array)],
  'the content is needed, as a string or as bytes',
);

/** A service with everything in it. */
export const serviceSchema = schemaOf(
  {
    content: v.pipe(
      bytesOrText,
      v.check((value) => value.length <= maxBytes, 'it is larger than 16 MiB'),
    ),
  },
  (description) => v.pipe(v.string('the text is needed'), v.description(description)),
);

const beside = v.pipe(
  v.string('the name of a file is needed'),
  v.regex(
    /^(?!.*(?:^|\/)\.\.(?:\/|$))[A-Za-z0-9_.-][A-Za-z0-9_./-]{0,254}$/,
    'it must be a relative path, without .., of a file beside the product file',
  ),
);

const fileBeside = (description: string) =>
  v.pipe(beside, v.description(`${description} A file, by its path from where the product file is.`));

/** The same as it stands in a product file: contents are files beside it. */
export const productFileSchema = fields({
  $schema: v.optional(v.string()),
  ...schemaOf({ from: fileBeside('What it holds.') }, fileBeside).entries,
});

/** A product as a description: one service with its unit, its secrets, its settings and its files. */
export type ServiceDefinition = v.InferInput<typeof serviceSchema>;
export type ProductFile = v.InferOutput<typeof productFileSchema>;
export type SettingDefinition = v.InferOutput<typeof setting>;
export type SecretDefinition = v.InferOutput<typeof secret>;
