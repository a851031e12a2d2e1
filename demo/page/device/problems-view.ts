import type { SyncError, SyncErrorAction, SyncErrorField, SyncErrorMember } from '../../../src/client/inbox/sync-error.ts';
import type { FieldValue } from '../../../src/schema.ts';
import type { ObjectName } from '../../schema.ts';
import { describeValue, FACES, labelOf, type TitleOf, type Values } from '../crm/object-face.ts';
import { icon } from '../render/icon.ts';
import { classes, h, type View } from '../render/view.ts';
import { refusalReason } from './describe-event.ts';
import type { Device } from './device.ts';
import { ACTION_NAMES, type Inbox } from './inbox.ts';
import { paneView } from './pane-view.ts';

/** The refused changes of a device, each with what was seen, what was written and what is online. */
export function problemsView({ inbox, browser }: Device): View {
  const { syncErrors } = inbox;
  const canKeepAll = syncErrors.filter(({ actions }) => actions.includes('keepMine')).length > 1;
  return paneView(inbox, 'problems', 'Problems', [
    syncErrors.length > 1 && h('div', { key: 'all', class: 'bulk', role: 'group', 'aria-label': 'All problems' },
      h('span', { class: 'muted' }, 'All:'),
      h('button', { type: 'button', class: 'button small', on: { click: () => void inbox.resolveAll('undo') } }, icon('undo'), 'Undo all'),
      canKeepAll && h('button', { type: 'button', class: 'button small', on: { click: () => void inbox.resolveAll('keepMine') } }, 'Keep all of mine'),
    ),
    syncErrors.map((error) => problemView(inbox, error, browser.titles.titleOf)),
  ]);
}

function problemView(inbox: Inbox, error: SyncError, titleOf: TitleOf): View {
  const others = error.members.length - 1;
  return h('article', { key: String(error.id), class: 'problem', 'data-testid': 'problem', 'data-class': error.class },
    h('h3', { class: 'problem-title' },
      h('button', { type: 'button', class: 'link', on: { click: () => inbox.openRecord(error.object, error.recordId) } }, nameOf(error, titleOf))),
    h('p', { class: 'problem-reason' }, `${OPS[error.op]} ${refusalReason(error.class)}`),
    // Only a rule of the back office has more to say than the class.
    error.message !== '' && error.code !== error.class && h('p', { class: 'problem-message' }, error.message),
    others > 0 && h('p', { class: 'problem-message', 'data-testid': 'together' }, `Saved together with ${others === 1 ? 'another record' : `${others} other records`}: all of it waits, nothing of it is online.`),
    error.members.map((member) => memberView(error, member, titleOf)),
    error.dependants.length > 0 && h('p', { class: 'problem-message', 'data-testid': 'dependants' },
      `Waiting behind it: ${[...new Set(error.dependants.map(({ object, id }) => titleOf(object as ObjectName, id) || `one ${FACES[object as ObjectName].one}`))].join(', ')}. Undo takes that back too.`),
    h('div', { class: 'problem-actions' },
      error.actions.map((action, index) =>
        h('button', { key: action, type: 'button', class: classes('button small', index === 0 && 'primary'), title: MEANINGS[action], on: { click: () => void inbox.resolve(error, action) } },
          index === 0 && icon('undo'), ACTION_NAMES[action])),
    ),
  );
}

const OPS = { create: 'The new record was refused.', update: 'The change was refused.', remove: 'The delete was refused.' } as const;

const MEANINGS: Readonly<Record<SyncErrorAction, string>> = {
  undo: 'The record becomes what it is online; the journal keeps your change',
  undelete: 'The record comes back as it is online',
  retry: 'Send the same again',
  keepMine: 'Put your values over those online',
  fix: 'Send other values in place of the refused ones',
  recreate: 'Save what is here as a new record',
  export: 'Hand the change out as a file',
};

/** What is said of a record in place of its values. */
const ONLINE: Partial<Record<SyncErrorMember['onlineState'], string>> = { deleted: 'deleted', hidden: 'out of sight' };

/** One record of a refused change; of several, the one that was refused first. */
function memberView(error: SyncError, member: SyncErrorMember, titleOf: TitleOf): View | null {
  const isRefused = member.object === error.object && member.recordId === error.recordId;
  // Of a delete there is nothing that was written; what caused it is shown all the same.
  const fields = member.op === 'remove' ? member.fields.filter(({ isCause }) => isCause) : member.fields;
  if (fields.length === 0) return null;
  return h('section', { key: member.recordId, class: classes('problem-member', isRefused && 'problem-refused'), 'data-testid': isRefused ? 'refused-member' : 'member' },
    error.members.length > 1 && h('h4', {}, nameOf(member, titleOf), h('span', { class: 'muted' }, ` ${FACES[member.object as ObjectName].one}`)),
    fields.map((field) => fieldView(error, member, field, titleOf)),
  );
}

function fieldView(error: SyncError, member: SyncErrorMember, { field, previous, mine, online, isCause }: SyncErrorField, titleOf: TitleOf): View {
  const isLost = isCause && error.class === 'conflict';
  const inWords = (shown: FieldValue): string => describeValue(member.object as ObjectName, field, shown, titleOf);
  const value = (name: string, label: string, shown: string): View =>
    h('div', { class: `compare-${name}` }, h('dt', {}, label), h('dd', { 'data-testid': name }, shown));
  return h('div', { key: field, class: classes('compare', isCause && 'compare-cause', isLost && 'compare-conflict'), 'data-field': field },
    h('p', { class: 'compare-field' }, labelOf(field)),
    h('dl', {}, value('previous', 'You saw', inWords(previous)), value('mine', 'You wrote', inWords(mine)), value('online', 'Online', ONLINE[member.onlineState] ?? inWords(online))),
  );
}

/** What a record of a refused change is called; one that is deleted here by what was seen of it. */
function nameOf({ object, recordId, fields }: SyncErrorMember, titleOf: TitleOf): string {
  const face = FACES[object as ObjectName];
  const seen = Object.fromEntries(fields.map(({ field, previous, online }) => [field, previous ?? online])) as Values;
  return titleOf(object as ObjectName, recordId) || face.title(seen, titleOf) || `One ${face.one}`;
}
