import type { SyncError, SyncErrorAction, SyncErrorField } from '../../../src/client/engine.ts';
import type { ObjectName } from '../../schema.ts';
import { count } from '../crm/format.ts';
import { describeValue, FACES, labelOf } from '../crm/object-face.ts';
import { icon } from '../render/icon.ts';
import { classes, h, type View } from '../render/view.ts';
import { refusalReason } from './describe-event.ts';
import type { Device } from './device.ts';

/** The refused changes of a device, each with what was seen, what was written and what is online. */
export function problemsView(device: Device): View {
  return h('section', { key: 'problems', class: 'problems', 'aria-label': 'Problems', 'data-testid': 'problems' },
    device.syncErrors.map((error) => problemView(device, error)),
  );
}

function problemView(device: Device, error: SyncError): View {
  const { titleOf } = device.browser.titles;
  const object = error.object as ObjectName;
  const title = titleOf(object, error.recordId) || `One ${FACES[object].one}`;
  return h('article', { key: String(error.id), class: 'problem', 'data-testid': 'problem' },
    h('h3', { class: 'problem-title' },
      h('button', { type: 'button', class: 'link', on: { click: () => openRecord(device, object, error.recordId) } }, title)),
    h('p', { class: 'problem-reason' }, `${OPS[error.op]} ${refusalReason(error.class)}`),
    error.message !== '' && error.class !== 'conflict' && h('p', { class: 'problem-message' }, error.message),
    error.fields.map((field) => fieldView(device, error, field)),
    h('div', { class: 'problem-actions' },
      error.actions.filter(isOffered).map((action, index) =>
        h('button', { key: action, type: 'button', class: classes('button', 'small', index === 0 && 'primary'), on: { click: () => void device.resolve(error.id, action) } }, index === 0 && icon('undo'), ACTIONS[action])),
      h('p', { class: 'muted' }, consequence(error)),
    ),
  );
}

/** What one press of a button can do; other values for a fix are entered in the form. */
const ACTIONS = { undo: 'Undo', undelete: 'Bring it back', keepMine: 'Keep mine', retry: 'Try again', recreate: 'Save as new' } as const;

function isOffered(action: SyncErrorAction): action is keyof typeof ACTIONS {
  return Object.hasOwn(ACTIONS, action);
}

const OPS = { create: 'The new record was refused.', update: 'The change was refused.', remove: 'The delete was refused.' } as const;

function consequence({ dependants, op }: SyncError): string {
  const alone = op === 'create' ? 'Takes the new record away.' : 'The record becomes what it is online.';
  return dependants.length === 0 ? alone : `${alone} ${count(dependants.length, 'later change')} of it ${dependants.length === 1 ? 'goes' : 'go'} too.`;
}

function fieldView(device: Device, error: SyncError, { field, previous, mine, online, isCause }: SyncErrorField): View {
  const object = error.object as ObjectName;
  const isLost = isCause && error.class === 'conflict';
  const { titleOf } = device.browser.titles;
  const value = (name: string, label: string, shown: typeof mine): View =>
    h('div', { class: `compare-${name}` }, h('dt', {}, label), h('dd', { 'data-testid': name }, describeValue(object, field, shown, titleOf)));
  return h('div', { key: field, class: classes('compare', isCause && 'compare-cause', isLost && 'compare-conflict') },
    h('p', { class: 'compare-field' }, labelOf(field)),
    h('dl', {}, value('previous', 'You saw', previous), value('mine', 'You wrote', mine), value('online', 'Online', online)),
  );
}

function openRecord(device: Device, object: ObjectName, id: string): void {
  device.showProblems(false);
  device.browser.open(object, id);
}
