import { FACES } from '../crm/object-face.ts';
import { icon } from '../render/icon.ts';
import { h, type View } from '../render/view.ts';
import type { Browser } from './browser.ts';
import { draftMark, markView } from './mark-view.ts';
import type { ShownRecord } from './record-source.ts';

/** Search, *new*, and the live list. */
export function listView(browser: Browser): View {
  const { list } = browser;
  const face = FACES[list.object];
  return h('div', { key: 'list', class: 'browse' },
    h('div', { class: 'toolbar' },
      h('label', { class: 'search' },
        icon('search'),
        h('input', {
          type: 'search',
          value: list.search,
          placeholder: `Search by ${face.searchLabel}`,
          'aria-label': `Search ${face.many.toLowerCase()} by ${face.searchLabel}`,
          autocomplete: 'off',
          on: { input: (event) => list.show(list.object, (event.target as HTMLInputElement).value) },
        }),
      ),
      h('button', { type: 'button', class: 'button', 'aria-label': `New ${face.one}`, on: { click: () => browser.startNew(list.object) } }, icon('plus'), 'New'),
    ),
    rowsView(browser),
  );
}

function rowsView(browser: Browser): View {
  const { list } = browser;
  const face = FACES[list.object];
  if (list.rows === null) return h('p', { key: 'wait', class: 'empty' }, 'Reading…');
  if (list.rows.length === 0) {
    const nothing = list.search === '' ? (browser.emptyNote() ?? `No ${face.many.toLowerCase()} here yet.`) : `Nothing matches “${list.search}”.`;
    return h('p', { key: 'none', class: 'empty' }, nothing);
  }
  const active = list.rows.find(({ id }) => id === list.activeId) ?? list.rows[0];
  return h('div', { key: 'rows', class: 'rows' },
    h('ul', { 'aria-label': face.many, on: { keydown: moveFocus } }, list.rows.map((row) => rowView(browser, row, row === active))),
    list.hasMore && h('button', { type: 'button', class: 'more quiet', on: { click: () => list.showMore() } }, 'Show more'),
  );
}

/** One record as a row that opens it; only one row of a list is a tab stop, the arrow keys reach the others. */
function rowView(browser: Browser, { object, id, values, mark }: ShownRecord, isActive: boolean): View {
  const { title, subtitle } = FACES[object];
  return h('li', { key: id },
    h('button', {
      type: 'button',
      class: 'row',
      'data-row': id,
      'data-testid': 'row',
      tabindex: isActive ? 0 : -1,
      on: { click: () => browser.open(object, id), focus: () => void (browser.list.activeId = id) },
    },
    h('span', { class: 'row-text' },
      h('span', { class: 'row-title' }, title(values, browser.titles.titleOf) || 'No name'),
      h('span', { class: 'row-subtitle' }, subtitle(values, browser.titles.titleOf)),
    ),
    browser.isInDraft(object, id) ? draftMark() : markView(mark)),
  );
}

/** Arrow keys, Home and End move along the rows. */
export function moveFocus(event: KeyboardEvent): void {
  const rows = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>('[data-row]')];
  const at = rows.indexOf(document.activeElement as HTMLElement);
  const target = { ArrowDown: rows[at + 1], ArrowUp: rows[at - 1], Home: rows[0], End: rows.at(-1) }[event.key];
  if (at < 0 || target === undefined) return;
  event.preventDefault();
  for (const row of rows) row.tabIndex = row === target ? 0 : -1;
  target.focus();
}
