/** The page as it is served, and that it is inside what is built. */
import { expect, test } from 'vitest';
import { toSvg } from '../../src/diagram/svg.ts';
import { installerMachine } from '../../src/machines/installer.ts';
import { viewerAssets } from '../../src/viewer/assets.ts';

const { html, js, css } = viewerAssets();

test('page, script and styles are small, and ask for nothing that is not beside them', () => {
  expect(html.replace(toSvg(), '').length + js.length + css.length).toBeLessThan(60_000);
  const addresses = [...`${html}${css}`.matchAll(/(?:src|href)="([^"]+)"|url\(([^)]+)\)/gu)].map(
    ([, attribute, url]) => attribute ?? url,
  );
  expect(addresses.filter((address) => address?.startsWith('data:') !== true)).toEqual([
    'viewer.css',
    'viewer.js',
  ]);
  expect(`${html}${css}${js}`.match(/https?:\/\/(?!www\.w3\.org\/2000\/svg)[^'"\s]*/gu)).toBeNull();
});

test('nothing in the page would need a weaker policy', () => {
  expect(html.match(/<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/giu)).toBeNull();
  expect(
    js.match(/\beval\(|new Function|innerHTML|outerHTML|insertAdjacentHTML|document\.write/gu),
  ).toBeNull();
});

test('the picture stands in the page, and every state in words', () => {
  const states = Object.keys(installerMachine.states);
  const drawn = [...html.matchAll(/<g class="state[^"]*" data-state="(\w+)">/gu)].map(([, name]) => name);
  expect(drawn).toEqual(states);
  const named = [...html.matchAll(/<li data-state="(\w+)">/gu)].map(([, name]) => name);
  expect(named).toEqual(states);
  expect(html).not.toContain('<!--');
});
