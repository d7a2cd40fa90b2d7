/** What a page that shows the picture relies on. */
import { expect, test } from 'vitest';
import { chart } from '../../src/diagram/chart.ts';
import { svgStyle } from '../../src/diagram/style.ts';
import { toSvg } from '../../src/diagram/svg.ts';
import { stateSummaries } from '../../src/machines/diagram.ts';
import { installed } from './runs.ts';

const groups = (svg: string, pattern: RegExp) =>
  [...svg.matchAll(pattern)].map(([, ...each]) => each.join(' '));

test('every state is a group that tells its name and whether it is final', () => {
  const found = groups(toSvg(), /<g class="(state(?: final)?)" data-state="(\w+)">/gu);
  expect(found).toEqual(stateSummaries().map(({ name, final }) => `state${final ? ' final' : ''} ${name}`));
});

test('every arrow is a group that tells where it leads', () => {
  const found = groups(toSvg(), /<g class="arrow (\w+)" data-from="(\w+)" data-to="(\w+)">/gu);
  expect(found.sort()).toEqual(
    chart()
      .arrows.map(({ kind, from, to }) => `${kind} ${from} ${to}`)
      .sort(),
  );
});

test('for a page with a strict Content-Security-Policy it holds no style, no script and no address', () => {
  for (const svg of [toSvg(), toSvg({ path: installed })]) {
    expect(svg).not.toMatch(/<style|style=|<script|\son\w+=|href|url\(/u);
    expect(svg.match(/https?:[^"]*/gu)).toEqual(['http://www.w3.org/2000/svg']);
    expect(svg).not.toMatch(/\sid=/u);
  }
});

test('as a file of its own it brings its colours, light and dark', () => {
  const svg = toSvg({ standalone: true });
  expect(svg).toContain(`<style>${svgStyle}</style>`);
  expect(svg.replace(`<style>${svgStyle}</style>\n`, '')).toBe(toSvg());
  expect(svgStyle).toContain('@media (prefers-color-scheme:dark)');
});

test('every class of it has a rule, and every rule a class', () => {
  const used = new Set(
    groups(toSvg({ path: { ...installed, outcome: null } }), /class="([^"]*)"/gu).flatMap((each) =>
      each.split(' '),
    ),
  );
  const ruled = new Set(groups(svgStyle, /\.([a-z]+)/gu));
  const plain = ['state', 'final', 'arrow', 'undo', 'way', 'number'];
  expect([...used].filter((name) => !ruled.has(name) && !plain.includes(name))).toEqual([]);
  expect([...ruled].filter((name) => !used.has(name))).toEqual([]);
});

/** Relative luminance of `#rgb` or `#rrggbb`, as WCAG 2.2 defines it. */
function luminance(color: string): number {
  const wide = color.length === 4 ? color.replaceAll(/[0-9a-f]/gu, '$&$&') : color;
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(wide.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

test.each(['light', 'dark'])('text stands out from what is behind it: %s', (scheme) => {
  const rules = svgStyle.split('\n').filter((line) => line.includes('--paper:'));
  const colors = new Map(
    [...rules[scheme === 'light' ? 0 : 1]!.matchAll(/--([a-z]+):(#[0-9a-f]+)/gu)].map(([, name, color]) => [
      name,
      color!,
    ]),
  );
  const contrast = (text: string, behind: string): number => {
    const [dark = 0, light = 0] = [text, behind]
      .map((name) => luminance(colors.get(name)!))
      .sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const contrasts = {
    name: contrast('ink', 'box'),
    description: contrast('soft', 'box'),
    label: contrast('soft', 'paper'),
    badge: contrast('paper', 'taken'),
  };
  // What WCAG 2.2 (AA) asks of text.
  expect(Object.entries(contrasts).filter(([, found]) => !(found >= 4.5))).toEqual([]);
});

test('who does not see it is told what it is, and where the run went', () => {
  expect(toSvg()).toMatch(
    /<svg [^>]*role="img"[^>]*>\n<title>[^<]+<\/title>\n<desc>A statechart\. preflight: /u,
  );
  expect(toSvg({ path: installed })).toMatch(
    /<title>[^<]+20261124T024709Z-89b1<\/title>\n<desc>ended: installed\. Steps: 1: detecting, 2: fresh,/u,
  );
});
