/** What the service says goes to the journal of systemd: there is no log file that somebody could lay a link in the place of. */
import { expect, test } from 'vitest';
import { directivesOf, parametersOf } from '../support/nginx-text.ts';
import { files, installed } from '../support/place.ts';

test('no log file and no directory of one is made, named or handed to the service (security 27)', async () => {
  for (const args of [[], ['--domain', 'mcp.example.org', '--insecure-http']]) {
    using root = await installed(args);
    expect([...root.look().keys()].filter((file) => file.startsWith('/var/log'))).toEqual([]);
    for (const unit of [files.service, files.socket])
      expect(root.read(unit)).not.toMatch(/^(LogsDirectory|StandardOutput|StandardError|ReadWritePaths)=/mu);
    for (const file of [files.site, files.snippet, files.zones]) {
      const directives = directivesOf(root.read(file));
      expect(parametersOf(directives, 'error_log')).toEqual([]);
      expect(parametersOf(directives, 'access_log').filter((where) => where !== 'off')).toEqual([]);
    }
  }
});
