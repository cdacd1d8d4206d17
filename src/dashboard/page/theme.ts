/** Dark and light: as the system says, unless the reader chose. */
export type Theme = 'system' | 'light' | 'dark';

const KEY = 'slotline-theme';
const ORDER: readonly Theme[] = ['system', 'light', 'dark'];

export function chosenTheme(): Theme {
  const stored = localStorage.getItem(KEY);
  return ORDER.find((theme) => theme === stored) ?? 'system';
}

/** The one that comes after `theme` when the reader asks for another. */
export function nextTheme(theme: Theme): Theme {
  return ORDER[(ORDER.indexOf(theme) + 1) % ORDER.length] ?? 'system';
}

/** Shows the page in the chosen theme, or in `theme`, which is then remembered. */
export function applyTheme(theme?: Theme): void {
  if (theme !== undefined) localStorage.setItem(KEY, theme);
  const chosen = chosenTheme();
  if (chosen === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = chosen;
}

/** Whether the page is dark now, for what is drawn without style sheets. */
export function isDark(): boolean {
  const chosen = chosenTheme();
  if (chosen !== 'system') return chosen === 'dark';
  return matchMedia('(prefers-color-scheme: dark)').matches;
}
