/** The types of settings: what a value may be, and its canonical spelling. */
import type { SettingSpec, Validated } from '../product.ts';
import { invalid, ok, parseUrl, show, validateDomain, validateFile, validateFlag } from '../validators.ts';
import type { SettingDefinition } from './definition.ts';

/** Below 1024 only root may listen, which a service need not be. */
const ports = { lowest: 1024, highest: 65_535 };
const largest = 2_147_483_647;

/** Of a setting of type integer. */
export const endsOf = ({
  minimum = 0,
  maximum = largest,
}: Pick<SettingDefinition, 'minimum' | 'maximum'>): readonly [number, number] => [minimum, maximum];

function whole(value: string, lowest: number, highest: number, what: string): Validated {
  const number = /^-?\d{1,10}$/u.test(value) ? Number(value) : Number.NaN;
  return number >= lowest && number <= highest
    ? ok(String(number))
    : invalid(`${show(value)} is not ${what} between ${lowest} and ${highest}`);
}

function validateUrl(value: string): Validated {
  if (/^[^/?#]*\/\/[^/?#]*@/u.test(value)) {
    return invalid('user name and password do not belong into a URL that everybody may read');
  }
  const url = parseUrl(value);
  return url !== null && ['http:', 'https:'].includes(url.protocol)
    ? ok(url.href)
    : invalid(`${show(value)} is not an http or https URL, such as https://api.example.org/v1`);
}

const validateWord = (value: string): Validated =>
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/u.test(value)
    ? ok(value)
    : invalid(
        `${show(value)} is not a word of 1 to 128 of A-Z a-z 0-9 . _ -, beginning with a letter or digit`,
      );

/** What systemd and dotenv read alike between single quotes. */
const validateText = (value: string): Validated =>
  /^[^'\\\p{C}\p{Zl}\p{Zp}]{1,256}$/u.test(value) && value === value.trim()
    ? ok(value)
    : invalid(
        "it must be one line of 1 to 256 characters without ', \\ and control characters, and without blanks around it",
      );

export function validatorOf(setting: SettingDefinition): SettingSpec['validate'] {
  const { type, choices = [] } = setting;
  switch (type) {
    case 'port':
      return (value) => whole(value, ports.lowest, ports.highest, 'a port');
    case 'integer':
      return (value) => whole(value, ...endsOf(setting), 'a whole number');
    case 'host':
      return validateDomain;
    case 'url':
      return validateUrl;
    case 'path':
    case 'file':
      return validateFile;
    case 'word':
      return validateWord;
    case 'choice':
      return (value) =>
        choices.includes(value) ? ok(value) : invalid(`${show(value)} is none of ${choices.join(', ')}`);
    case 'flag':
      return validateFlag;
    case 'text':
      return validateText;
  }
}

/** Words with single hyphens between them, whatever underscores the key has. */
export const optionOf = ({ key, option }: SettingDefinition): string =>
  option ?? (key.toLowerCase().match(/[a-z0-9]+/gu) ?? []).join('-');

/** As it would be given on the command line. */
export const defaultOf = ({ default: preset }: SettingDefinition): string | undefined =>
  preset === undefined ? undefined : String(preset);

const placeholders: Readonly<Record<SettingDefinition['type'], string>> = {
  port: 'N',
  integer: 'N',
  host: 'HOST',
  url: 'URL',
  path: 'PATH',
  file: 'FILE',
  word: 'WORD',
  choice: 'CHOICE',
  flag: '',
  text: 'TEXT',
};

export function settingSpec(definition: SettingDefinition): SettingSpec {
  const { key, type, description, choices } = definition;
  const preset = defaultOf(definition);
  return {
    key,
    option: optionOf(definition),
    kind: type === 'flag' || type === 'file' ? type : 'text',
    description: choices === undefined ? description : `${description}: ${choices.join(', ')}`,
    placeholder: placeholders[type],
    ...(preset === undefined || type === 'flag' ? {} : { default: preset }),
    validate: validatorOf(definition),
  };
}
