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
  const current = (): Theme => chosen ?? (system.matches ? 'dark' : 'light');
  const show = (): void => {
    if (chosen !== null) document.documentElement.dataset['theme'] = chosen;
    button.setAttribute('aria-pressed', String(current() === 'dark'));
  };
  button.addEventListener('click', () => {
    chosen = current() === 'dark' ? 'light' : 'dark';
    remember(chosen);
    show();
  });
  system.addEventListener('change', show);
  show();
}
