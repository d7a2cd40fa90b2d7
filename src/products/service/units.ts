/** What a unit, a socket and a site have to say for the installer to keep its promises. Each problem is half a sentence. */
import type { ServiceDefinition } from './definition.ts';
import type { Problem } from './problems.ts';
import type { Places } from './places.ts';

/** Assignments by section, as systemd reads them; comments left out, continued lines joined. */
function assignmentsIn(
  text: string,
): readonly { readonly section: string; readonly key: string; readonly value: string }[] {
  let section = '';
  return text
    .replace(/\\\r?\n/gu, ' ')
    .split(/\r?\n/u)
    .map((line) => line.trim())
    .flatMap((line) => {
      const header = /^\[(\w+)\]$/u.exec(line)?.[1];
      if (header !== undefined) section = header;
      const assigned = /^([A-Za-z]\w*)\s*=\s*(.*)$/u.exec(line);
      return assigned === null ? [] : [{ section, key: assigned[1]!, value: assigned[2]!.trim() }];
    });
}

const valuesOf = (text: string, section: string, key: string): readonly string[] =>
  assignmentsIn(text)
    .filter((each) => each.section === section && each.key === key)
    .map(({ value }) => value);

/** Words of a list, which may stand on one line or on several. */
const wordsOf = (text: string, section: string, key: string): readonly string[] =>
  valuesOf(text, section, key).flatMap((value) => value.split(/\s+/u));

/**
 * Directories below /var/lib that the unit has made for the service. Only those that carry its name: another one may be
 * shared, and what is shared is nobody's to purge.
 */
export const stateOf = (unit: string, name: string): readonly string[] =>
  wordsOf(unit, 'Service', 'StateDirectory')
    // systemd.exec(5): a second name after the colon is a link to the first.
    .map((word) => word.split(':')[0]!.replaceAll(/%[pNn]|\{\{name\}\}/gu, name))
    .filter((path) => path === name);

const watched = ['simple', 'exec', 'notify', 'notify-reload'];

export function unitProblems(text: string, { envFile }: Places): readonly string[] {
  const problems: string[] = [];
  const envFiles = valuesOf(text, 'Service', 'EnvironmentFile');
  if (envFiles.length !== 1 || !['{{envFile}}', envFile].includes(envFiles[0]!))
    problems.push(
      `its [Service] needs the one line EnvironmentFile={{envFile}}, by which the secrets reach the service`,
    );
  if (valuesOf(text, 'Service', 'ExecStart').length !== 1)
    problems.push('its [Service] needs one ExecStart=');
  const [type = 'simple'] = valuesOf(text, 'Service', 'Type').slice(-1);
  if (!watched.includes(type))
    problems.push(`Type=${type} has no main process to watch; valid: ${watched.join(', ')}`);
  if (!wordsOf(text, 'Install', 'WantedBy').includes('multi-user.target'))
    problems.push('its [Install] needs WantedBy=multi-user.target, by which it starts at boot');
  return problems;
}

export function socketProblems(text: string, port: string): readonly string[] {
  const problems: string[] = [];
  const listens = valuesOf(text, 'Socket', 'ListenStream');
  if (listens.length !== 1 || listens[0] !== `127.0.0.1:{{${port}}}`)
    problems.push(
      `its [Socket] needs the one line ListenStream=127.0.0.1:{{${port === '' ? 'PORT' : port}}}`,
    );
  if (!wordsOf(text, 'Install', 'WantedBy').includes('sockets.target'))
    problems.push('its [Install] needs WantedBy=sockets.target, by which it starts at boot');
  return problems;
}

export function siteProblems({ nginx, health, settings = [] }: ServiceDefinition): readonly Problem[] {
  if (nginx === undefined) return [];
  const problems: Problem[] = [];
  const typed = (field: 'serverName' | 'certificate', type: string): void => {
    const key = nginx[field];
    if (key === undefined || settings.find((each) => each.key === key)?.type === type) return;
    problems.push({ path: ['nginx', field], what: `${key} is no setting of type ${type}` });
  };
  typed('serverName', 'host');
  typed('certificate', 'file');
  if (nginx.certificate !== undefined && nginx.serverName === undefined)
    problems.push({
      path: ['nginx', 'certificate'],
      what: 'a certificate is for a name: it needs serverName',
    });
  if (health === undefined)
    problems.push({ path: ['nginx'], what: 'it needs health: a path that is asked through the site' });
  if (!nginx.site.includes('{{marker}}'))
    problems.push({
      path: ['nginx', 'site'],
      what: 'its server block needs {{marker}}, which tells the installer on this machine what nginx serves',
    });
  return problems;
}
