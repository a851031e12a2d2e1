import type { ObjectName } from '../../schema.ts';
import { formatDay, formatTime } from '../crm/format.ts';
import { FACES } from '../crm/object-face.ts';
import { icon } from '../render/icon.ts';
import { h, type View } from '../render/view.ts';
import type { Office } from './office.ts';

/** What waits on each person's feed, newest first. */
export function feedsView({ entries, browser, today, passWeek }: Office): View {
  return h('section', { key: 'feeds', class: 'ledger', 'aria-label': 'Feeds', 'data-testid': 'feeds' },
    h('p', { class: 'ledger-note' }, 'Every save of a device goes on its person’s feed. Their other devices read it from there.'),
    h('div', { class: 'ledger-action' },
      h('p', { class: 'ledger-note' }, 'Entries are kept for seven days.', today !== null && ` On the server it is ${formatDay(new Date(today).toISOString().slice(0, 10))}.`),
      h('button', { type: 'button', class: 'button small', title: 'Moves the server’s clock: what is on the feeds now is no longer kept', on: { click: () => passWeek() } }, icon('clock'), 'Let a week pass'),
    ),
    entries.length === 0 && h('p', { class: 'empty' }, 'Nothing: change something on a device.'),
    h('ol', {}, entries.map(({ user, position, at, store, number, records }) =>
      h('li', { key: `${user} ${position}`, class: 'ledger-row' },
        h('span', { class: 'ledger-key' }, `${user} ${position}`),
        h('span', { class: 'ledger-text' },
          records.map(({ object, id }) => browser.titles.titleOf(object as ObjectName, id) || `one ${FACES[object as ObjectName]?.one ?? object}`).join(', '),
          h('span', { class: 'ledger-from' }, `${storeName(store)}, upload ${number}`),
        ),
        h('time', {}, formatTime(at)),
      ))),
  );
}

/** What the server decided on each upload. */
export function receiptsView({ receipts }: Office): View {
  return h('section', { key: 'receipts', class: 'ledger', 'aria-label': 'Receipts', 'data-testid': 'receipts' },
    h('p', { class: 'ledger-note' }, 'Each upload is decided once. A repeat, after a lost answer, gets the same receipt and changes nothing.'),
    receipts.length === 0 && h('p', { class: 'empty' }, 'No upload since the server started.'),
    h('ol', {}, receipts.map(({ user, store, number, at, outcome }) =>
      h('li', { key: `${store} ${number}`, class: 'ledger-row' },
        h('span', { class: 'ledger-key' }, user),
        h('span', { class: 'ledger-text' }, h('span', { class: `outcome outcome-${outcome}` }, outcome), h('span', { class: 'ledger-from' }, `${storeName(store)}, upload ${number}`)),
        h('time', {}, formatTime(at)),
      ))),
  );
}

/** A device's store by the end of its id: enough to tell them apart. */
function storeName(store: string): string {
  return `store …${store.slice(-4)}`;
}
