import type { Notice } from '../../../src/client/answers/notices.ts';
import type { NewerVersion } from '../../../src/client/handles/handle.ts';
import type { Device } from '../device/device.ts';
import type { Office } from '../office/office.ts';
import { hasDraft } from '../records/group-part.ts';

/** The devices that the walk-throughs look at. */
export interface Stage {
  readonly tablet: Device;
  readonly phone: Device;
  readonly ben: Device;
  readonly office: Office;
}

export interface Step {
  readonly text: string;
  /** Whether the page shows that the step was done. Steps are ticked in order. */
  readonly isDone: (stage: Stage) => boolean;
}

export interface Walk {
  readonly key: string;
  readonly title: string;
  readonly lead: string;
  readonly steps: readonly Step[];
}

const isOffline = ({ connection }: Device): boolean => connection.mode === 'offline';
const pending = ({ status }: Device): number => status?.pending ?? 0;
const drafts = ({ status }: Device): number => status?.drafts ?? 0;
const hasNotice = ({ inbox }: Device, kind: Notice['kind']): boolean => inbox.notices.some((notice) => notice.kind === kind);
const isShowingDraft = ({ browser }: Device): boolean => browser.form !== null && hasDraft(browser.form);
const showsSubmitted = ({ browser }: Device): boolean => typeof browser.form?.group?.submittedAs === 'string';
const newer = ({ browser }: Device): NewerVersion | null => browser.form?.newer ?? null;
const openOrder = ({ browser }: Device): string | null => (browser.form?.object === 'order' ? browser.form.id : null);
const parked = ({ status }: Device): number => status?.parked ?? 0;
const hasGap = ({ status }: Device): boolean => status?.hasFeedGap === true;
const isSettled = (device: Device): boolean => !isOffline(device) && device.status !== null && pending(device) === 0;

/** Things to try, each a few steps long. */
export const WALKS: readonly Walk[] = [
  {
    key: 'conflict',
    title: 'First save wins',
    lead: 'Two devices, one field, no network.',
    steps: [
      { text: 'Take Ann’s tablet and phone offline.', isDone: ({ tablet, phone }) => isOffline(tablet) && isOffline(phone) },
      { text: 'Change the same account’s phone number on both, differently.', isDone: ({ tablet, phone }) => pending(tablet) > 0 && pending(phone) > 0 },
      { text: 'Bring the tablet online: its save is first.', isDone: ({ tablet, phone }) => isSettled(tablet) && pending(phone) > 0 },
      { text: 'Bring the phone online: it is told, nothing is overwritten.', isDone: ({ phone }) => !isOffline(phone) && phone.inbox.syncErrors.length > 0 },
      { text: 'Look at the problem, then Undo: all agree.', isDone: ({ phone }) => phone.status !== null && phone.inbox.syncErrors.length === 0 && isSettled(phone) },
    ],
  },
  {
    key: 'group',
    title: 'All or nothing',
    lead: 'A survey and its answers are one save.',
    steps: [
      { text: 'Take Ann’s tablet and phone offline.', isDone: ({ tablet, phone }) => isOffline(tablet) && isOffline(phone) },
      { text: 'On both, open the same survey, rate the same answer differently, and save.', isDone: ({ tablet, phone }) => pending(tablet) > 0 && pending(phone) > 0 },
      { text: 'Bring the tablet online: its save is first.', isDone: ({ tablet, phone }) => isSettled(tablet) && pending(phone) > 0 },
      { text: 'Bring the phone online: one problem, naming the answer and its field.', isDone: ({ phone }) => phone.inbox.syncErrors.length > 0 },
      { text: 'Look at it, then Keep mine: now it is no silent overwrite.', isDone: ({ phone }) => phone.inbox.syncErrors.length === 0 && isSettled(phone) },
    ],
  },
  {
    key: 'draft',
    title: 'Half an order',
    lead: 'Edits of a header and its lines are a draft until you save.',
    steps: [
      { text: 'On Ann’s phone, add a line to an order whose status is Draft, and do not save.', isDone: ({ phone }) => drafts(phone) > 0 },
      { text: 'Kill and restart the phone.', isDone: ({ phone }) => phone.status === null },
      { text: 'The draft is still there: its button beside the status leads to it.', isDone: ({ phone }) => drafts(phone) > 0 && (phone.inbox.pane === 'drafts' || isShowingDraft(phone)) },
      { text: 'Save it: one transaction.', isDone: ({ phone }) => phone.status !== null && drafts(phone) === 0 },
    ],
  },
  {
    key: 'call',
    title: 'One call, two devices',
    lead: 'A call that was submitted elsewhere is never changed.',
    steps: [
      { text: 'Take Ann’s phone offline.', isDone: ({ phone }) => isOffline(phone) },
      { text: 'On the phone, add a sample to a planned call, and save.', isDone: ({ phone }) => pending(phone) > 0 },
      { text: 'On the tablet, give the same call the status Submitted, and save.', isDone: ({ tablet }) => pending(tablet) > 0 || showsSubmitted(tablet) },
      { text: 'Bring the phone online: its call becomes a copy, and it is told.', isDone: ({ phone }) => hasNotice(phone, 'duplicated') },
      { text: 'Open the notice: it leads to the copy and to the original.', isDone: ({ phone }) => phone.inbox.pane === 'notices' },
    ],
  },
  {
    key: 'order',
    title: 'Too late to change',
    lead: 'An order that was placed elsewhere stays as it was placed.',
    steps: [
      { text: 'Take Ann’s phone offline.', isDone: ({ phone }) => isOffline(phone) },
      { text: 'On the phone, change a line of an order whose status is Draft, and save.', isDone: ({ phone }) => pending(phone) > 0 },
      { text: 'On the tablet, give the same order the status Placed, and save.', isDone: ({ tablet }) => pending(tablet) > 0 || showsSubmitted(tablet) },
      { text: 'Bring the phone online: its change is set aside, and it is told.', isDone: ({ phone }) => hasNotice(phone, 'discarded') },
      { text: 'In the notice, view your changes, or copy them to a new order.', isDone: ({ phone }) => phone.inbox.pane === 'journal' || drafts(phone) > 0 },
    ],
  },
  {
    key: 'open',
    title: 'Under your eyes',
    lead: 'What you have open waits until you leave it.',
    steps: [
      { text: 'Open an order whose status is Draft on Ann’s phone.', isDone: ({ phone }) => openOrder(phone) !== null },
      { text: 'On the tablet, change a line of the same order, and save.', isDone: ({ phone }) => newer(phone) !== null },
      { text: 'The phone shows what it showed, and says that there is more. Go back to the list.', isDone: ({ phone }) => phone.browser.form === null },
      { text: 'Open the order again: it is the new one.', isDone: ({ phone }) => openOrder(phone) !== null && newer(phone) === null },
    ],
  },
  {
    key: 'refused',
    title: 'Placed meanwhile',
    lead: 'What you enter in an order that was placed elsewhere is not saved, and not lost.',
    steps: [
      { text: 'On Ann’s phone, open an order whose status is Draft, change a line, and do not save.', isDone: ({ phone }) => isShowingDraft(phone) },
      { text: 'On the tablet, give the same order the status Placed, and save.', isDone: ({ phone }) => newer(phone) === 'submitted' },
      { text: 'Save on the phone: it says why that cannot be.', isDone: ({ phone }) => phone.browser.form?.problem?.isChangedElsewhere === true },
      { text: 'Copy your entries to a new order, or show the new version.', isDone: ({ phone }) => phone.browser.form !== null && newer(phone) === null && phone.browser.form.problem === null },
    ],
  },
  {
    key: 'half',
    title: 'Half delivered',
    lead: 'An order shows whole, or not yet.',
    steps: [
      { text: 'On Ann’s phone, hold back an order line.', isDone: ({ phone }) => phone.connection.holdsBack },
      { text: 'On the tablet, create an order with a few lines.', isDone: ({ phone }) => parked(phone) > 0 },
      { text: 'Nothing of it shows on the phone. What is kept aside, and why, stands beside its status.', isDone: ({ phone }) => phone.inbox.pane === 'waiting' },
      { text: 'Hold nothing back any more: all of it is there at once.', isDone: ({ phone }) => !phone.connection.holdsBack && parked(phone) === 0 },
    ],
  },
  {
    key: 'away',
    title: 'Away too long',
    lead: 'The feed is kept for seven days.',
    steps: [
      { text: 'Take Ann’s phone offline, and save something there.', isDone: ({ phone }) => isOffline(phone) && pending(phone) > 0 },
      { text: 'Change something else on the tablet.', isDone: ({ tablet }) => pending(tablet) > 0 },
      { text: 'In the back office, under Feeds, let a week pass.', isDone: ({ office }) => office.weeksPassed > 0 },
      { text: 'Bring the phone online: its save arrives, and it says that news is missing.', isDone: ({ phone }) => hasGap(phone) && pending(phone) === 0 },
      { text: 'Download everything to it: the gap is closed.', isDone: ({ phone }) => phone.status !== null && !hasGap(phone) },
    ],
  },
  {
    key: 'kill',
    title: 'Pull the plug',
    lead: 'A kill in the middle of sending.',
    steps: [
      { text: 'Put Ann’s phone on a slow connection.', isDone: ({ phone }) => phone.connection.mode === 'slow' },
      { text: 'Save a few changes there.', isDone: ({ phone }) => pending(phone) > 0 },
      { text: 'Kill and restart it while it sends.', isDone: ({ phone }) => phone.status === null },
      { text: 'All of them arrive, each once.', isDone: ({ phone }) => isSettled(phone) },
    ],
  },
  {
    key: 'office',
    title: 'Who hears what',
    lead: 'The feed is a person’s own.',
    steps: [
      { text: 'Change something on Ann’s tablet.', isDone: ({ tablet }) => !isOffline(tablet) && pending(tablet) > 0 },
      { text: 'Ann’s phone has it a moment later, by itself, unless it has it open.', isDone: ({ tablet, phone }) => isSettled(tablet) && phone.hasHeardFromOthers },
      { text: 'Ben’s tablet gets it with a download.', isDone: ({ ben }) => ben.status?.progress !== undefined && ben.status?.progress !== null },
    ],
  },
  {
    key: 'sign-out',
    title: 'Sign out',
    lead: 'What is not online stays, for its person only.',
    steps: [
      { text: 'Take Ann’s tablet offline and save something there.', isDone: ({ tablet }) => isOffline(tablet) && pending(tablet) > 0 },
      { text: 'Sign out of it: it asks. Keep it on this device.', isDone: ({ tablet }) => tablet.signedOut !== null },
      { text: 'Sign in again: it still waits there.', isDone: ({ tablet }) => tablet.signedOut === null && pending(tablet) > 0 },
      { text: 'Bring it online: it arrives.', isDone: ({ tablet }) => isSettled(tablet) },
    ],
  },
];

/** The walk that a person looks at, and how many steps of each were done; remembered while the page lives. */
export interface Progress {
  readonly selected: Walk;
  select(walk: Walk): void;
  doneOf(walk: Walk): number;
  look(stage: Stage): void;
  startOver(walk: Walk): void;
}

export function createProgress(): Progress {
  const done = new Map<string, number>();
  let selected = WALKS[0]!;
  const doneOf = (walk: Walk): number => done.get(walk.key) ?? 0;
  return {
    get selected() {
      return selected;
    },
    select(walk) {
      selected = walk;
    },
    doneOf,
    look(stage) {
      const next = selected.steps[doneOf(selected)];
      if (next?.isDone(stage)) done.set(selected.key, doneOf(selected) + 1);
    },
    startOver: (walk) => void done.delete(walk.key),
  };
}
