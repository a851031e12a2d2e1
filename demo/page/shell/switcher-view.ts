import type { Device } from '../device/device.ts';
import { describeStatus } from '../device/status-words.ts';
import { moveAlongTabs } from '../records/browser-view.ts';
import { h, type View } from '../render/view.ts';

export interface PlaceTab {
  readonly key: string;
  readonly title: string;
  /** The device of this place; the back office has none. */
  readonly device: Device | null;
}

/** On narrow screens one place is shown at a time; these tabs choose it, and show which of the others needs a look. */
export function switcherView(tabs: readonly PlaceTab[], selected: string, onSelect: (key: string) => void): View {
  return h('div', { key: 'switcher', class: 'switcher', role: 'tablist', 'aria-label': 'Places', on: { keydown: moveAlongTabs } },
    tabs.map(({ key, title, device }) => {
      const tone = device?.status ? describeStatus(device.status).tone : null;
      return h('button', {
        key,
        type: 'button',
        role: 'tab',
        'aria-selected': key === selected ? 'true' : 'false',
        'aria-controls': `panel-${key}`,
        tabindex: key === selected ? 0 : -1,
        on: { click: () => onSelect(key) },
      }, title, tone !== null && tone !== 'good' && h('span', { class: `dot dot-${tone}` }, h('span', { class: 'sr-only' }, ` (${describeStatus(device!.status!).headline})`)));
    }),
  );
}
