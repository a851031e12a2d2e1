import { formatMoney } from '../crm/format.ts';
import { FACES } from '../crm/object-face.ts';
import { icon } from '../render/icon.ts';
import { h, type View } from '../render/view.ts';
import type { Browser } from './browser.ts';
import { fieldView } from './field-view.ts';
import type { GroupPart, LineForm, LineList } from './group-part.ts';

export interface LinesViewOptions {
  readonly browser: Browser;
  readonly group: GroupPart;
  readonly list: LineList;
  readonly idPrefix: string;
}

/** The lines of a header, edited in its form: each a row of inputs, with one more button to add another. */
export function linesView({ browser, group, list, idPrefix }: LinesViewOptions): View {
  const face = FACES[list.object];
  const isOpen = group.submittedAs === null && group.fixing === null;
  return h('section', { key: list.object, class: 'lines', 'aria-label': list.title, 'data-testid': `lines-${list.object}` },
    h('div', { class: 'related-head' },
      h('h4', {}, list.title, h('span', { class: 'muted' }, ` ${list.lines.length}`)),
      isOpen && h('button', { type: 'button', class: 'quiet small', 'aria-label': `Add ${face.one}`, on: { click: () => group.addLine(list) } }, icon('plus'), 'Add'),
    ),
    list.lines.map((line, index) => lineView(browser, line, `${face.one} ${index + 1}`, isOpen, group.submittedAs === null && line.isOpen, idPrefix)),
  );
}

function lineView(browser: Browser, line: LineForm, name: string, canRemove: boolean, canEdit: boolean, idPrefix: string): View {
  const { fields, title } = FACES[line.object];
  const { amount } = line;
  return h('fieldset', { key: line.id, class: `line line-${line.object}`, disabled: !canEdit, 'data-testid': 'line' },
    h('legend', { class: 'sr-only' }, `${name}: ${title(line.values, browser.titles.titleOf)}`),
    fields.map((field) => fieldView({ browser, form: line, field, idPrefix })),
    typeof amount === 'string' && h('p', { class: 'line-amount' }, formatMoney(amount)),
    canRemove && h('button', { type: 'button', class: 'icon-button danger', 'aria-label': `Remove ${name}`, title: `Remove ${name}`, on: { click: () => line.remove() } }, icon('close')),
  );
}
