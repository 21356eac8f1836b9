import { createStore } from './store.ts';

export type ThemeChoice = 'light' | 'dark' | 'system';

const dark = matchMedia('(prefers-color-scheme: dark)');

function kept(): ThemeChoice {
  try {
    const value = localStorage.getItem('theme');
    return value === 'light' || value === 'dark' ? value : 'system';
  } catch {
    return 'system';
  }
}

export const themeChoice = createStore<ThemeChoice>(kept());
/** The theme that is shown; charts redraw when it changes. */
export const shownTheme = createStore<'light' | 'dark'>('light');

function apply(): void {
  const choice = themeChoice.get();
  const shown = choice === 'system' ? (dark.matches ? 'dark' : 'light') : choice;
  document.documentElement.dataset.theme = shown;
  shownTheme.set(shown);
}

export function chooseTheme(choice: ThemeChoice): void {
  themeChoice.set(choice);
  try {
    if (choice === 'system') localStorage.removeItem('theme');
    else localStorage.setItem('theme', choice);
  } catch {
    // The choice then lasts as long as the page.
  }
  apply();
}

export function toggleTheme(): void {
  chooseTheme(shownTheme.get() === 'dark' ? 'light' : 'dark');
}

dark.addEventListener('change', apply);
apply();
