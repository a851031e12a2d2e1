import type { Notice } from '../../../src/client/answers/notices.ts';
import type { RecordRef } from '../../../src/client/queue/outcomes.ts';
import type { ObjectName } from '../../schema.ts';
import { formatMoment } from '../crm/format.ts';
import { describeValue, FACES, labelOf, type TitleOf } from '../crm/object-face.ts';
import { h, type View } from '../render/view.ts';
import type { Device } from './device.ts';
import type { Inbox } from './inbox.ts';
import { paneView } from './pane-view.ts';

/** What the person is to know and need not repair. */
export function noticesView({ inbox, browser }: Device): View {
  return paneView(inbox, 'notices', 'Notices', inbox.notices.map((notice) => noticeView(inbox, notice, browser.titles.titleOf)));
}

function noticeView(inbox: Inbox, notice: Notice, titleOf: TitleOf): View {
  const object = notice.object as ObjectName;
  const { one } = FACES[object];
  return h('article', { key: String(notice.id), class: 'problem notice-card', 'data-testid': 'notice', 'data-kind': notice.kind },
    h('h3', { class: 'problem-title' }, titleOf(object, notice.recordId) || `One ${one}`, h('span', { class: 'muted' }, ` ${formatMoment(notice.raisedAt)}`)),
    h('p', { class: 'problem-reason' }, sentenceOf(notice, titleOf)),
    notice.kind === 'duplicated' && notice.notCopied.length > 0 && h('p', { class: 'problem-message' }, `Not in the copy: ${notice.notCopied.map((ref) => refName(ref, titleOf)).join(', ')}. The journal has it.`),
    notice.kind === 'overwritten' && h('ul', { class: 'problem-message' }, notice.fields.map(({ object: name, id, field, online, mine }) =>
      h('li', { key: `${id} ${field}` }, `${labelOf(field)}: ${describeValue(name as ObjectName, field, online, titleOf)} → ${describeValue(name as ObjectName, field, mine, titleOf)}`))),
    h('div', { class: 'problem-actions' },
      h('button', { type: 'button', class: 'button small primary', on: { click: () => void inbox.acknowledge(notice) } }, notice.kind === 'overwritten' ? 'Dismiss' : 'Understood'),
      notice.kind === 'duplicated' && openButton(inbox, notice.duplicate, 'Open your copy'),
      notice.kind !== 'removed' && openButton(inbox, { object, id: notice.recordId }, notice.kind === 'duplicated' ? 'Open the original' : `Open the ${one}`),
      hasJournal(notice) && h('button', { type: 'button', class: 'button small', on: { click: () => void inbox.showJournal(notice.entries) } }, 'View my changes'),
      notice.kind === 'discarded' && h('button', { type: 'button', class: 'button small', on: { click: () => void inbox.copyToNew(notice) } }, `Copy to a new ${one}`),
    ),
  );
}

function sentenceOf(notice: Notice, titleOf: TitleOf): string {
  const { one } = FACES[notice.object as ObjectName];
  switch (notice.kind) {
    case 'discarded': return `This ${one} was submitted on another device. Your later changes were not saved.`;
    case 'duplicated': return `This ${one} was submitted on another device. What you have of it became a ${one} of its own, “${refName(notice.duplicate, titleOf)}”.`;
    case 'overwritten': return 'Your edit replaced what somebody else wrote online.';
    case 'removed': return notice.state === 'deleted' ? `The server deleted this ${one} as it saved it.` : `The server moved this ${one} out of your sight as it saved it.`;
  }
}

/** Whether something of it left the queue unsaved. */
function hasJournal(notice: Notice): boolean {
  return notice.kind === 'discarded' || (notice.kind === 'duplicated' && notice.notCopied.length > 0);
}

function openButton(inbox: Inbox, { object, id }: RecordRef, label: string): View {
  return h('button', { key: label, type: 'button', class: 'button small', on: { click: () => inbox.openRecord(object, id) } }, label);
}

function refName({ object, id }: RecordRef, titleOf: TitleOf): string {
  return titleOf(object as ObjectName, id) || `one ${FACES[object as ObjectName].one}`;
}
