/**
 * The viewer's page as text: what the inspector serves, below one address, as the page itself, `viewer.js` and
 * `viewer.css`. Beside them the page asks for `events`, and for nothing else.
 *
 * Loaded only where something is to be seen.
 */
import { toSvg } from '../diagram/svg.ts';
import { installerMachine } from '../machines/installer.ts';
import css from './page/page.css?text';
import js from './page/main.ts?text';
import page from './page/page.html?text';

interface ViewerAssets {
  readonly html: string;
  readonly js: string;
  readonly css: string;
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** For whoever cannot see the picture, and for what is written above it. */
const statesInWords = (): string =>
  Object.values(installerMachine.states)
    .map(
      ({ key, description = '' }) =>
        `<li data-state="${key}"><code>${key}</code> <span class="description">${escaped(description)}</span></li>`,
    )
    .join('\n');

/**
 * Works under `default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:`.
 */
export const viewerAssets = (): ViewerAssets => ({
  html: page.replace('<!--machine-->', () => toSvg()).replace('<!--states-->', statesInWords),
  js,
  css,
});
