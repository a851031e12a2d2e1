import type { DraftInfo } from '../../../src/client/drafts/draft.ts';
import type { JournalEntry, JournalMember, JournalReason } from '../../../src/client/queue/journal.ts';
import type { ObjectName } from '../../schema.ts';
import { count, formatMoment } from '../crm/format.ts';
import { describeValue, FACES, labelOf, type TitleOf } from '../crm/object-face.ts';
import { h, type View } from '../render/view.ts';
import type { Device } from './device.ts';
import { paneView } from './pane-view.ts';

/** Edits that are neither saved nor thrown away. */
export function draftsView({ inbox, browser }: Device): View {
  const { titleOf } = browser.titles;
  const draftView = ({ id, object, recordId, openedAt, changes }: DraftInfo): View => {
    const face = FACES[object as ObjectName];
    return h('article', { key: id, class: 'problem notice-card', 'data-testid': 'draft-card' },
      h('h3', { class: 'problem-title' }, titleOf(object as ObjectName, recordId) || `New ${face.one}`),
      h('p', { class: 'problem-reason' }, `${count(changes, 'record')} changed since ${formatMoment(openedAt)}. Nothing of it is sent before you save.`),
      h('div', { class: 'problem-actions' },
        h('button', { type: 'button', class: 'button small primary', on: { click: () => inbox.openRecord(object, recordId) } }, 'Go on')),
    );
  };
  return paneView(inbox, 'drafts', 'Drafts', browser.drafts.map(draftView));
}

const REASONS: Readonly<Record<JournalReason, string>> = {
  'undone': 'You took it back.',
  'discarded': 'Discarded: the record was submitted on another device.',
  'not-copied': 'Not in the copy of what was submitted on another device.',
  'superseded': 'Other values took its place.',
};

/** What left the queue without being saved online. */
export function journalView({ inbox, browser }: Device): View {
  const { titleOf } = browser.titles;
  return paneView(inbox, 'journal', 'Journal', [
    h('p', { key: 'note', class: 'ledger-note' }, 'What left this device’s queue without being saved online, kept for 30 days.'),
    inbox.journal.length === 0 && h('p', { key: 'none', class: 'empty' }, 'Nothing: every change was saved.'),
    inbox.journal.map((entry, index) => entryView(entry, `${entry.entry} ${index}`, titleOf)),
  ]);
}

function entryView({ reason, savedAt, members }: JournalEntry, key: string, titleOf: TitleOf): View {
  return h('article', { key, class: 'problem notice-card', 'data-testid': 'journal-entry', 'data-reason': reason },
    h('p', { class: 'problem-reason' }, `${REASONS[reason]} Saved here ${formatMoment(savedAt)}.`),
    members.map((member) => memberView(member, titleOf)),
  );
}

const OPS = { create: 'New', update: 'Changed', remove: 'Deleted' } as const;

function memberView({ object: name, id, op, mine }: JournalMember, titleOf: TitleOf): View {
  const object = name as ObjectName;
  const face = FACES[object];
  const title = titleOf(object, id) || face.title(mine, titleOf);
  return h('section', { key: id, class: 'problem-member' },
    h('h4', {}, title, h('span', { class: 'muted' }, ` ${OPS[op]} ${face.one}`)),
    h('dl', { class: 'journal-values' }, face.fields.filter((field) => (op === 'update' ? field in mine : (mine[field] ?? null) !== null)).map((field) =>
      h('div', { key: field }, h('dt', {}, labelOf(field)), h('dd', {}, describeValue(object, field, mine[field], titleOf))))),
  );
}
