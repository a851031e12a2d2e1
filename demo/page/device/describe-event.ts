import type { Notice } from '../../../src/client/answers/notices.ts';
import type { Resolution } from '../../../src/client/inbox/sync-error.ts';
import type { ClientEvent } from '../../../src/client/facade/client-events.ts';
import type { FeedGap } from '../../../src/protocol/messages.ts';
import type { ObjectName } from '../../schema.ts';
import { count, formatBytes, seconds } from '../crm/format.ts';
import { FACES, labelOf, type TitleOf } from '../crm/object-face.ts';

/** One thing the SDK did, and why, in plain words. */
export interface LogText {
  readonly tone: 'plain' | 'good' | 'wait' | 'bad';
  readonly text: string;
  readonly why: string;
}

/** Puts an event of the client into words; `null` for the ones that the page shows elsewhere. */
export function describeEvent(event: ClientEvent, titleOf: TitleOf): LogText | null {
  switch (event.type) {
    case 'change:queued':
      return {
        tone: 'wait',
        text: `${{ create: 'Created', update: 'Changed', remove: 'Deleted' }[event.op] ?? 'Changed'} ${nameOf(event, titleOf)}${fieldList(event.op === 'update' ? event.fields : [])}.`,
        why: 'It is safe on this device and waits in the upload queue.',
      };
    case 'change:withdrawn':
      return { tone: 'plain', text: 'A waiting change is not needed any more.', why: 'A later save took it back before it was sent.' };
    case 'draft:found':
      return { tone: 'wait', text: 'A draft of before is still here.', why: 'Drafts survive whatever happens to the app; nothing of them is sent before you save.' };
    case 'draft:changed':
      return DRAFT_LINES[event.change];
    case 'handle:opened':
      return { tone: 'plain', text: `Opened ${nameOf(event, titleOf)}.`, why: 'While it is open, nothing of it changes under your eyes.' };
    case 'handle:closed':
      return { tone: 'plain', text: `Closed ${nameOf(event, titleOf)}.`, why: 'What waited for that is taken over now.' };
    case 'guard:failed':
      return { tone: 'wait', text: `Nobody could say whether ${nameOf(event, titleOf)} may be saved.`, why: 'The server decides.' };
    case 'tab:role-taken':
      return { tone: 'plain', text: event.role === 'leader' ? 'This tab has the store.' : 'Another tab has the store; this one asks it.', why: 'The tabs of one device are one client.' };
    case 'upload:started':
      return { tone: 'plain', text: `Sending ${count(event.entries.length, 'change')}, ${formatBytes(event.bytes)}.`, why: 'Oldest first; one request at a time.' };
    case 'upload:accepted':
      return {
        tone: 'good',
        text: `The server saved ${nameOf(event, titleOf)}.`,
        why: event.changedByServer.length === 0 ? 'It leaves the upload queue.' : `The server also set ${words(event.changedByServer)}.`,
      };
    case 'upload:refused':
      return { tone: 'bad', text: `The server refused ${nameOf(event, titleOf)}${fieldList(event.fields)}.`, why: refusalReason(event.reason) };
    case 'upload:deferred':
      return { tone: 'wait', text: `The server asks to send it again in ${seconds(event.retryAfterMs)}.`, why: event.reason };
    case 'request:failed':
      return {
        tone: 'wait',
        text: `${{ upload: 'Sending', feed: 'Asking for news', snapshot: 'Downloading', record: 'Reading a record', hello: 'Greeting the server' }[event.purpose]} did not get through.`,
        why: `${reach(event.fault.code)} Nothing is lost${event.retryInMs === null ? '.' : `; next try in ${seconds(event.retryInMs)}.`}`,
      };
    case 'feed:polled':
      return event.transactions === 0
        ? { tone: 'plain', text: 'Asked for news: nothing new.', why: '' }
        : { tone: 'plain', text: `Asked for news: ${count(event.transactions, 'save')} on the feed.`, why: 'From this person’s devices.' };
    case 'feed:merged':
      return event.state === 'live'
        ? { tone: 'good', text: `Took over ${nameOf(event, titleOf)}${fieldList(event.fields)}.`, why: `Another device of this person ${event.fields.length === 0 ? 'made' : 'changed'} it.` }
        : { tone: 'good', text: `Took ${nameOf(event, titleOf)} away.`, why: 'It was deleted on another device.' };
    case 'feed:kept-aside':
      return {
        tone: 'wait',
        text: `A newer ${nameOf(event, titleOf)} is kept aside.`,
        why: {
          'pending': 'A change made here is still on its way; that is settled first.',
          'in-error': 'A refused change of it waits for you; that is settled first.',
          'in-use': 'It is open here; nothing changes under your eyes.',
          'incomplete': 'A part of it is still missing; it appears whole, or not yet.',
        }[event.reason],
      };
    case 'feed:skipped':
      return { tone: 'plain', text: `The feed brings ${nameOf(event, titleOf)} again.`, why: 'This device has that version or a newer one; versions never go back.' };
    case 'feed:part-staged':
      return { tone: 'plain', text: `Part ${event.place + 1} of a large save is here.`, why: 'It is set aside; nothing of it shows before all of it is here.' };
    case 'feed:parts-applied':
      return { tone: 'good', text: `Took over a large save: ${count(event.records, 'record')}.`, why: `It came in ${count(event.parts, 'part')} and shows at once.` };
    case 'feed:gap-found':
      return { tone: 'wait', text: GAP_TEXTS[event.reason], why: 'A download closes the gap. Until then the feed goes on from its oldest entry, and uploads are not held up.' };
    case 'download:started':
      return { tone: 'plain', text: event.isResumed ? 'Goes on with the download.' : 'Downloads all this person may see.', why: 'Pages are set aside, then shown all at once.' };
    case 'download:applied':
      return { tone: 'good', text: `Downloaded ${count(event.records, 'record')}.`, why: event.removed === 0 ? 'Shown in one step.' : `${count(event.removed, 'record')} went away.` };
    case 'sync-error:raised':
      return { tone: 'bad', text: `${capital(nameOf(event, titleOf))} needs you.`, why: 'Look at the problem above; nothing is thrown away until you decide.' };
    case 'sync-error:resolved':
      return RESOLUTION_LINES[event.action];
    case 'notice:raised':
      return { tone: 'wait', text: `${capital(nameOf(event, titleOf))}: ${NOTICE_TEXTS[event.kind].text}`, why: NOTICE_TEXTS[event.kind].why };
    case 'notice:acknowledged':
      return { tone: 'plain', text: 'The notice was read.', why: 'It is kept for 30 days more.' };
    case 'runtime:started':
      return event.kind === 'host-worker'
        ? { tone: 'plain', text: 'The client runs in its worker.', why: 'The page stays free; the database is this device’s own.' }
        : { tone: 'wait', text: `The client runs elsewhere (${event.kind}).`, why: event.skipped.map(({ reason }) => reason).join(' ') };
    case 'core:replaced':
      return { tone: 'wait', text: 'WebAssembly failed here; the plain core answers instead.', why: event.cause };
    case 'runtime:failed':
      return { tone: 'bad', text: 'The worker died.', why: 'What was saved is on this device and goes on with the next start.' };
    case 'status:changed':
      return null;
  }
}

const DRAFT_LINES: Readonly<Record<Extract<ClientEvent, { readonly type: 'draft:changed' }>['change'], LogText>> = {
  opened: { tone: 'plain', text: 'A draft is open.', why: 'What other devices do to its records waits until it has ended.' },
  edited: { tone: 'plain', text: 'The draft was written down.', why: 'It is safe on this device; nothing of it shows elsewhere or is sent.' },
  saved: { tone: 'wait', text: 'The draft was saved as one transaction.', why: 'All of it arrives, or nothing.' },
  discarded: { tone: 'plain', text: 'The draft was thrown away.', why: 'The journal keeps it for 30 days.' },
};

const GAP_TEXTS: Readonly<Record<FeedGap, string>> = {
  expired: 'Some news is older than the feed keeps.',
  foreign: 'The feed is another one than before.',
  ahead: 'The feed ends before the place where this device was.',
  restored: 'The server was restored from a backup.',
};

const RESOLUTION_LINES: Readonly<Record<Resolution, LogText>> = {
  undo: { tone: 'good', text: 'The refused change was taken back.', why: 'The record is what it is online; the journal keeps your change.' },
  undelete: { tone: 'good', text: 'The record was brought back.', why: 'The record is what it is online.' },
  retry: { tone: 'wait', text: 'The refused change is sent again.', why: 'As it was.' },
  keepMine: { tone: 'wait', text: 'Your values go over those online.', why: 'You have seen them now: it is no silent overwrite.' },
  fix: { tone: 'wait', text: 'Other values take the place of the refused ones.', why: 'In the same place of the queue; what waits behind follows.' },
  recreate: { tone: 'wait', text: 'What was deleted online becomes a new record.', why: 'What refers to it follows.' },
};

const NOTICE_TEXTS: Readonly<Record<Notice['kind'], { readonly text: string; readonly why: string }>> = {
  discarded: { text: 'submitted on another device, so later edits were not saved.', why: 'The journal keeps them; a notice waits for you.' },
  duplicated: { text: 'submitted on another device, so your edits became a copy.', why: 'Nothing of either is lost; a notice waits for you.' },
  overwritten: { text: 'your edit replaced what somebody else wrote.', why: 'Allowed for this object, and told.' },
  removed: { text: 'the server took it away as it saved it.', why: 'A notice waits for you.' },
};

const REFUSALS: Readonly<Record<string, string>> = {
  'conflict': 'Online it is no longer the value you saw: the first save wins.',
  'validation': 'The back office’s rules do not allow it.',
  'permission': 'This person may not change it.',
  'locked': 'It is locked online.',
  'edit-vs-delete': 'It was deleted online meanwhile.',
  'delete-vs-edit': 'It was changed online meanwhile.',
  'missing-reference': 'It points to a record that is not online.',
  'duplicate-key': 'A record with this id is online already.',
  'metadata': 'The server knows these fields otherwise.',
  'too-large': 'It is too large for one upload.',
  'fate-unknown': 'Nobody knows whether it arrived.',
};

export function refusalReason(reason: string): string {
  return REFUSALS[reason] ?? 'The server could not save it.';
}

const FAILURES: Readonly<Record<string, string>> = {
  TRANSPORT_UNREACHABLE: 'The server cannot be reached.',
  TRANSPORT_TIMEOUT: 'No answer came in time.',
  TRANSPORT_ABORTED: 'The connection was cut.',
  TRANSPORT_BUSY: 'The server is busy.',
  TRANSPORT_BAD_ANSWER: 'What came back is no answer of the server.',
  AUTH_REQUIRED: 'Nobody is signed in.',
  DEVICE_REVOKED: 'The server takes nothing from this device any more.',
  AUTH_REFUSED: 'The server asks to sign in again.',
};

function reach(code: string): string {
  return FAILURES[code] ?? `${code}.`;
}

function nameOf({ object, id }: { readonly object: string; readonly id: string }, titleOf: TitleOf): string {
  const title = titleOf(object as ObjectName, id);
  return title === '' ? `one ${FACES[object as ObjectName].one}` : `“${title}”`;
}

function fieldList(fields: readonly string[]): string {
  return fields.length === 0 ? '' : `: ${words(fields)}`;
}

function words(fields: readonly string[]): string {
  return fields.map((field) => labelOf(field).toLowerCase()).join(', ');
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
