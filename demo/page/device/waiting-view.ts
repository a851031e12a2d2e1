import { describeReason } from '../crm/sync-reason.ts';
import { FACES } from '../crm/object-face.ts';
import { h, type View } from '../render/view.ts';
import type { Device } from './device.ts';
import { paneView } from './pane-view.ts';
import type { WaitingRecord } from './waiting.ts';

/** What other devices did and this one does not show yet, each with the SDK's word why. */
export function waitingView({ inbox, waiting, browser }: Device): View {
  const { titleOf } = browser.titles;
  const recordView = ({ object, id, values, reasons }: WaitingRecord): View => {
    const face = FACES[object];
    const shown = titleOf(object, id);
    return h('article', { key: `${object} ${id}`, class: 'problem notice-card', 'data-testid': 'waiting-record' },
      h('h3', { class: 'problem-title' }, shown || (values && face.title(values, titleOf)) || `One ${face.one}`,
        h('span', { class: 'muted' }, shown === '' ? ' not on this device yet' : '')),
      reasons.map((reason) => h('p', { key: JSON.stringify(reason), class: 'problem-reason', 'data-reason': reason.code, 'data-because': 'because' in reason ? reason.because : null }, describeReason(reason, titleOf))),
      shown !== '' && h('div', { class: 'problem-actions' },
        h('button', { type: 'button', class: 'button small', on: { click: () => inbox.openRecord(object, id) } }, `Open the ${face.one}`)),
    );
  };
  return paneView(inbox, 'waiting', 'Kept aside', [
    h('p', { key: 'note', class: 'ledger-note' }, 'What other devices did is shown whole and at a safe moment. Until then it is kept on this device.'),
    waiting.records.length === 0 && h('p', { key: 'none', class: 'empty' }, 'It came before this page was opened, and is still kept.'),
    waiting.records.map(recordView),
  ]);
}
