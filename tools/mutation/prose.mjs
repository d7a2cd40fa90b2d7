/** Stryker's ignorer `prose`: sentences for people are not mutated, since the tests of messages look for what counts. */
import { PluginKind, declareValuePlugin } from '@stryker-mutator/api/plugin';

const isProse = (text) => /[A-Za-z,.;:] [A-Za-z]/u.test(text);

const textOf = ({ node }) => {
  if (node.type === 'StringLiteral') return node.value;
  if (node.type === 'TemplateLiteral') return node.quasis.map(({ value }) => value.raw).join('x');
  return '';
};

export const strykerPlugins = [
  declareValuePlugin(PluginKind.Ignore, 'prose', {
    shouldIgnore: (path) => (isProse(textOf(path)) ? 'a sentence for people' : undefined),
  }),
];
