const KEY = 'fieldtide-demo/theme';

export type Theme = 'light' | 'dark';

/** Light or dark: what the person chose here, else what their system says. */
export interface ThemeSwitch {
  readonly theme: Theme;
  toggle(): void;
}

export function createThemeSwitch(onChange: () => void): ThemeSwitch {
  const system = matchMedia('(prefers-color-scheme: dark)');
  const chosen = (): Theme | null => {
    const stored = localStorage.getItem(KEY);
    return stored === 'light' || stored === 'dark' ? stored : null;
  };
  const theme = (): Theme => chosen() ?? (system.matches ? 'dark' : 'light');
  const apply = (): void => {
    document.documentElement.dataset.theme = theme();
    onChange();
  };
  system.addEventListener('change', apply);
  document.documentElement.dataset.theme = theme();
  return {
    get theme() {
      return theme();
    },
    toggle() {
      localStorage.setItem(KEY, theme() === 'dark' ? 'light' : 'dark');
      apply();
    },
  };
}
