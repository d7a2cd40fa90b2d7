/** The owner's password: only the right one, only in the form, and not by trying. */
import { abuse, type Row } from './support/abuse.ts';
import { form, type Changes } from './support/ask.ts';

const posted =
  (changes: Changes): Row[1] =>
  (it) =>
    it.consent('of a browser', changes);
const wrong = (name: string, changes: Changes): Row => [
  name,
  posted(changes),
  403,
  'That is not the password.',
  'wrong_password',
];
const tooMany = (name: string, password: string): Row => [
  name,
  posted({ password }),
  429,
  'Too many wrong passwords',
  'too_many_passwords',
];

const ownerPassword = 'a good horse staple';

const rows: readonly Row[] = [
  wrong('none', {}),
  wrong('an empty one', { password: '' }),
  wrong('a wrong one', { password: 'canary' }),
  wrong('the right one in other letters', { password: ownerPassword.toUpperCase() }),
  wrong('the right one and a blank', { password: `${ownerPassword} ` }),
  wrong('the right one and a NUL', { password: `${ownerPassword}\0` }),
  wrong('one of no ASCII', { password: '\u{1f600}' }),
  [
    'the right one in the query',
    async (it) => {
      const { port, text } = await it.consent('of a browser', { password: 'canary' });
      return { port, text: text.replace('/authorize', `/authorize?${form({ password: ownerPassword })}`) };
    },
    403,
    'That is not the password.',
    'wrong_password',
  ],
  [
    'the right one from another browser',
    posted({ password: ownerPassword, cookie: '' }),
    403,
    'access_denied',
    'other_browser',
  ],
  wrong('a ninth wrong one', { password: 'canary' }),
  wrong('a tenth wrong one', { password: 'canary' }),
  tooMany('an eleventh wrong one', 'canary'),
  tooMany('the right one after these', ownerPassword),
];

abuse('abuse-password', { 'A password': rows }, { ownerPassword, isLocked: true });
