import { icon } from '../render/icon.ts';
import { h, type Child, type View } from '../render/view.ts';
import type { Inbox, Pane } from './inbox.ts';

/** What is shown in place of the records, with the way back to them. */
export function paneView(inbox: Inbox, pane: Pane, title: string, content: readonly Child[]): View {
  return h('section', { key: pane, class: 'problems', 'aria-label': title, 'data-testid': pane, on: { keydown: (event) => event.key === 'Escape' && inbox.show(null) } },
    h('div', { key: 'head', class: 'pane-head' },
      h('h3', {}, title),
      h('button', { type: 'button', class: 'icon-button', 'aria-label': 'Back to the records', title: 'Back (Esc)', on: { click: () => inbox.show(null) } }, icon('close')),
    ),
    content,
  );
}
