import { FACES, TABS } from '../crm/object-face.ts';
import { h, type View } from '../render/view.ts';
import type { Browser } from './browser.ts';
import { listView } from './list-view.ts';
import { recordView } from './record-view.ts';

/** The tabs of the objects, and under them the list or the open record. */
export function browserView(browser: Browser, idPrefix: string): readonly View[] {
  const { form } = browser;
  return [
    h('div', { key: 'tabs', class: 'object-tabs', role: 'tablist', 'aria-label': 'Objects', on: { keydown: moveAlongTabs } }, TABS.map((object) => {
      const isSelected = object === browser.list.object;
      return h('button', {
        key: object,
        type: 'button',
        role: 'tab',
        id: `${idPrefix}-tab-${object}`,
        'aria-selected': isSelected ? 'true' : 'false',
        'aria-controls': `${idPrefix}-records`,
        tabindex: isSelected ? 0 : -1,
        on: { click: () => browser.showTab(object) },
      }, FACES[object].many);
    })),
    h('div', { key: 'records', class: 'records', role: 'tabpanel', id: `${idPrefix}-records`, 'aria-labelledby': `${idPrefix}-tab-${browser.list.object}` },
      form === null ? listView(browser) : recordView(browser, form, idPrefix)),
  ];
}

/** Left and right arrow, Home and End choose a tab, as in every tab list. */
export function moveAlongTabs(event: KeyboardEvent): void {
  const tabs = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>('[role="tab"]')];
  const at = tabs.indexOf(document.activeElement as HTMLElement);
  const last = tabs.length - 1;
  const target = { ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at === 0 ? last : at - 1, Home: 0, End: last }[event.key];
  if (at < 0 || target === undefined) return;
  event.preventDefault();
  tabs[target]!.focus();
  tabs[target]!.click();
}
