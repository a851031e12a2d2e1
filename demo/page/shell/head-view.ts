import { icon } from '../render/icon.ts';
import { h, type View } from '../render/view.ts';
import type { ThemeSwitch } from './theme.ts';

export interface HeadOptions {
  readonly theme: ThemeSwitch;
  readonly isGuideShown: boolean;
  readonly onToggleGuide: () => void;
}

/** The head of the page: what this is, the guide, light or dark. */
export function headView({ theme, isGuideShown, onToggleGuide }: HeadOptions): View {
  const other = theme.theme === 'dark' ? 'light' : 'dark';
  return h('div', { key: 'head', class: 'page-head' },
    h('p', { class: 'wordmark' }, icon('wave'), 'Fieldtide'),
    h('div', { class: 'tagline' },
      h('h1', {}, 'Nothing lost, nothing silently overwritten.'),
      h('p', {}, 'Three devices and a server, all real: every device has a worker and a database of its own.'),
    ),
    h('div', { class: 'page-actions' },
      h('button', { type: 'button', class: 'button ghost', 'aria-expanded': isGuideShown ? 'true' : 'false', 'aria-controls': 'guide', on: { click: onToggleGuide } },
        icon('guide'), 'Try this'),
      h('button', { type: 'button', class: 'icon-button', 'aria-label': `Use the ${other} theme`, title: `Use the ${other} theme`, on: { click: theme.toggle } },
        icon(other === 'dark' ? 'moon' : 'sun')),
    ),
  );
}
