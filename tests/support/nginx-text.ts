/** nginx's configuration as nginx reads it: words, quotes, comments, blocks (ngx_conf_read_token). For tests. */

/** One directive: its name and parameters, and what stands in its block. */
export interface Directive {
  readonly words: readonly string[];
  readonly block: readonly Directive[] | null;
}

/** @throws where nginx would refuse the text */
function tokensOf(text: string): readonly (string | { readonly word: string })[] {
  const tokens: (string | { readonly word: string })[] = [];
  let at = 0;
  while (at < text.length) {
    const c = text[at]!;
    if (/[ \t\r\n]/u.test(c)) at += 1;
    else if (c === '#') at = text.includes('\n', at) ? text.indexOf('\n', at) : text.length;
    else if (c === ';' || c === '{' || c === '}') {
      tokens.push(c);
      at += 1;
    } else if (c === '"' || c === "'") {
      let word = '';
      for (at += 1; text[at] !== c; at += 1) {
        if (at >= text.length) throw new Error('a quote is never closed');
        if (text[at] === '\\') at += 1;
        word += text.charAt(at);
      }
      tokens.push({ word });
      at += 1;
      if (!/[ \t\r\n;{)]/u.test(text[at] ?? '')) throw new Error(`unexpected ${text[at] ?? 'end'}`);
    } else {
      let word = '';
      // A brace inside a word belongs to it only behind a dollar sign: ${name}.
      while (at < text.length && !/[ \t\r\n;{]/u.test(text[at]!)) {
        if (text[at] === '\\') at += 1;
        word += text.charAt(at);
        at += 1;
      }
      tokens.push({ word });
    }
  }
  return tokens;
}

/** @throws where nginx would refuse the text */
export function directivesOf(text: string): readonly Directive[] {
  const tokens = tokensOf(text);
  let at = 0;
  const block = (isInner: boolean): readonly Directive[] => {
    const directives: Directive[] = [];
    for (let words: string[] = []; ; at += 1) {
      const token = tokens[at];
      if (typeof token === 'object') words.push(token.word);
      else if (token === ';' || token === '{') {
        // `types { }` has no parameters; a name it has.
        if (words.length === 0) throw new Error(`unexpected ${token}`);
        at += 1;
        directives.push({ words, block: token === '{' ? block(true) : null });
        at -= 1;
        words = [];
      } else {
        if (words.length > 0 || (token === '}') !== isInner) throw new Error(`unexpected ${token ?? 'end'}`);
        at += 1;
        return directives;
      }
    }
  };
  return block(false);
}

/** All directives of a name, wherever they stand: their parameters. */
export const parametersOf = (directives: readonly Directive[], name: string): readonly string[] =>
  directives.flatMap(({ words, block }) => [
    ...(words[0] === name ? [words.slice(1).join(' ')] : []),
    ...(block === null ? [] : parametersOf(block, name)),
  ]);
