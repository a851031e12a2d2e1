import { icon, type IconName } from '../render/icon.ts';
import { h, type View } from '../render/view.ts';

export interface PanelHeadOptions {
  readonly key: string;
  readonly title: string;
  readonly subtitle: string;
  readonly icon: IconName;
  readonly actions: readonly View[];
}

/** The head of a panel: whose it is, and what can be done to it as a whole. */
export function panelHead({ key, title, subtitle, icon: name, actions }: PanelHeadOptions): View {
  return h('header', { key: 'head', class: 'panel-head' },
    h('span', { class: 'badge' }, icon(name)),
    h('div', { class: 'panel-names' },
      h('h2', { id: `${key}-title` }, title),
      h('p', { class: 'muted' }, subtitle),
    ),
    h('div', { class: 'panel-actions' }, actions),
  );
}
