import { formatTime } from '../crm/format.ts';
import { browserView } from '../records/browser-view.ts';
import { icon } from '../render/icon.ts';
import { h, type View } from '../render/view.ts';
import { panelHead } from '../shell/panel-head.ts';
import type { Office, OfficePart } from './office.ts';
import { feedsView, receiptsView } from './sync-state-view.ts';

const PARTS: readonly { readonly part: OfficePart; readonly label: string }[] = [
  { part: 'records', label: 'Records' },
  { part: 'feeds', label: 'Feeds' },
  { part: 'receipts', label: 'Receipts' },
];

/** The back office, top to bottom. */
export function officeView(office: Office): readonly View[] {
  return [
    panelHead({ key: 'office', title: 'Back office', subtitle: 'The server itself', icon: 'office', actions: [] }),
    h('fieldset', { key: 'parts', class: 'segments' },
      h('legend', { class: 'sr-only' }, 'What to show of the server'),
      PARTS.map(({ part, label }) =>
        h('label', { key: part, class: 'segment' },
          h('input', { type: 'radio', name: 'office-part', value: part, checked: part === office.part, on: { change: () => office.show(part) } }),
          h('span', {}, label),
        )),
    ),
    serverStatusView(office),
    ...(office.part === 'records' ? browserView(office.browser, 'office') : []),
    ...(office.part === 'feeds' ? [feedsView(office)] : []),
    ...(office.part === 'receipts' ? [receiptsView(office)] : []),
    h('section', { key: 'about', class: 'log office-about', 'aria-label': 'About the back office' },
      h('h3', {}, 'What an edit here does'),
      h('p', {}, 'It is saved on the server at once, and travels to a device with its next download: the feed carries only what a person’s own devices saved.'),
      h('p', {}, 'A device that edits the same field without having seen it gets a problem to decide on, never a silent overwrite.'),
    ),
  ];
}

function serverStatusView({ isConnected, feeds, receipts }: Office): View {
  const heads = feeds.map(({ user, head }) => `${user} ${head}`).join(' · ');
  const last = receipts[0];
  return h('div', { key: 'status', class: `status ${isConnected ? 'status-good' : 'status-late'}`, 'data-testid': 'server-status' },
    h('span', { class: 'status-icon' }, icon(isConnected ? 'check' : 'alert')),
    h('div', { class: 'status-text' },
      h('p', { class: 'status-headline', role: 'status' }, isConnected ? 'Running' : 'Not reachable'),
      h('p', { class: 'status-detail' }, last === undefined ? 'No upload yet' : `Last upload ${formatTime(last.at)}`),
    ),
    h('ul', { class: 'chips', 'aria-label': 'Feed positions' }, heads !== '' && h('li', { class: 'chip', title: 'Newest position of each person’s feed' }, heads)),
  );
}
