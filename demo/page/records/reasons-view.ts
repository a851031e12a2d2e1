import { describeReason } from '../crm/sync-reason.ts';
import { h, type View } from '../render/view.ts';
import type { Browser } from './browser.ts';
import { hasDraft } from './group-part.ts';
import type { RecordForm } from './record-form.ts';

/** "Why is this not synced?" on a record with something that waits, and the SDK's answer. */
export function reasonsView(browser: Browser, form: RecordForm): View | null {
  const waits = hasDraft(form) || (form.record !== null && form.record.mark !== null && form.record.mark !== 'synced');
  const { reasons, titles } = browser;
  if (!waits && reasons === null) return null;
  const isAsked = reasons !== null;
  return h('div', { key: 'reasons', class: 'reasons', 'data-testid': 'reasons' },
    h('button', { type: 'button', class: 'quiet small', 'aria-expanded': isAsked ? 'true' : 'false', on: { click: () => browser.askReasons(!isAsked) } }, 'Why is this not synced?'),
    isAsked && (reasons.length === 0
      ? h('p', { class: 'muted' }, 'It is: nothing of it waits here.')
      : h('ol', {}, reasons.map((reason) => h('li', { key: JSON.stringify(reason), 'data-reason': reason.code }, describeReason(reason, titles.titleOf))))),
  );
}
