/**
 * The viewer's page as text: what the inspector serves, below one address, as the page itself, `viewer.js` and
 * `viewer.css`. Beside them the page asks for `events`, and for nothing else.
 *
 * Loaded only where something is to be seen.
 */
import { installerMachine } from '../machines/installer.ts';
import css from './page/page.css?text';
import js from './page/main.ts?text';
import page from './page/page.html?text';

export interface ViewerAssets {
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
 * @param machine the statechart as SVG without styles; its states carry `data-state`, its arrows `data-from` and `data-to`
 * @returns a page that works under `default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:`
 */
export const viewerAssets = (machine = ''): ViewerAssets => ({
  html: page.replace('<!--machine-->', () => machine).replace('<!--states-->', statesInWords),
  js,
  css,
});
