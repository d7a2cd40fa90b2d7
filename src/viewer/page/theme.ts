/** Light or dark: as the system has it, until the button says otherwise for this tab. */
import { byId } from './dom.ts';

type Theme = 'light' | 'dark';
const key = 'theme';

function remembered(): Theme | null {
  try {
    const theme = sessionStorage.getItem(key);
    return theme === 'light' || theme === 'dark' ? theme : null;
  } catch {
    // Storage may be forbidden; then the choice lasts as long as the page.
    return null;
  }
}

function remember(theme: Theme): void {
  try {
    sessionStorage.setItem(key, theme);
  } catch {
    // As above.
  }
}

export function themeButton(): void {
  const button = byId('theme');
  const system = matchMedia('(prefers-color-scheme: dark)');
  let chosen = remembered();
  const show = (): void => {
    const theme = chosen ?? (system.matches ? 'dark' : 'light');
    document.documentElement.dataset['theme'] = theme;
    button.setAttribute('aria-pressed', String(theme === 'dark'));
  };
  button.addEventListener('click', () => {
    chosen = document.documentElement.dataset['theme'] === 'dark' ? 'light' : 'dark';
    remember(chosen);
    show();
  });
  system.addEventListener('change', show);
  show();
}
