import type { JournalEntry } from '../../../src/client/queue/journal.ts';
import type { Notice } from '../../../src/client/answers/notices.ts';
import type { SyncError, SyncErrorAction } from '../../../src/client/inbox/sync-error.ts';
import type { SyncClient } from '../../../src/client/sync-client.ts';
import type { ObjectName } from '../../schema.ts';
import type { Browser } from '../records/browser.ts';
import { copyToNew } from './copy-to-new.ts';
import type { DeviceLog } from './log.ts';
import { offerDownload } from './offer-download.ts';

/** What can be looked at in place of the records. */
export type Pane = 'problems' | 'notices' | 'drafts' | 'journal' | 'waiting';

/** What waits for the person who holds a device: refused changes, notices, drafts, and what left the queue unsaved. */
export interface Inbox {
  readonly pane: Pane | null;
  readonly syncErrors: readonly SyncError[];
  /** Those that were not acknowledged, oldest first. */
  readonly notices: readonly Notice[];
  readonly journal: readonly JournalEntry[];
  show(pane: Pane | null): void;
  /** Shows the journal: what these entries lost, or all of it. */
  showJournal(entries?: readonly number[]): Promise<void>;
  openRecord(object: string, id: string): void;
  resolve(error: SyncError, action: SyncErrorAction): Promise<void>;
  resolveAll(action: 'undo' | 'keepMine'): Promise<void>;
  acknowledge(notice: Notice): Promise<void>;
  /** Begins a new record with what was discarded, as a draft. */
  copyToNew(notice: Notice): Promise<void>;
  connect(client: SyncClient): void;
}

export interface InboxOptions {
  readonly browser: Browser;
  readonly log: DeviceLog;
  readonly onChange: () => void;
}

export function createInbox({ browser, log, onChange }: InboxOptions): Inbox {
  let client: SyncClient | null = null;
  let pane: Pane | null = null;
  let syncErrors: readonly SyncError[] = [];
  let notices: readonly Notice[] = [];
  let journal: readonly JournalEntry[] = [];

  function show(next: Pane | null): void {
    pane = next;
    onChange();
  }

  /** Says in the log what did not work. */
  async function attempt(name: string, act: (running: SyncClient) => Promise<unknown>): Promise<void> {
    try {
      if (client !== null) await act(client);
    } catch (thrown) {
      log.add({ tone: 'bad', text: `${name} did not work.`, why: thrown instanceof Error ? thrown.message : String(thrown) });
    }
  }

  const openRecord = (object: string, id: string): void => {
    browser.open(object as ObjectName, id);
    show(null);
  };

  return {
    get pane() {
      // There is nothing left to look at.
      const isDone = (pane === 'problems' && syncErrors.length === 0) || (pane === 'notices' && notices.length === 0) || (pane === 'drafts' && browser.drafts.length === 0);
      return isDone ? null : pane;
    },
    get syncErrors() {
      return syncErrors;
    },
    get notices() {
      return notices;
    },
    get journal() {
      return journal;
    },
    show,
    showJournal: (entries) =>
      attempt('Reading the journal', async (running) => {
        journal = entries === undefined ? await running.journal.list() : (await Promise.all(entries.map((entry) => running.journal.get(entry)))).flat();
        show('journal');
      }),
    openRecord,
    async resolve(error, action) {
      if (action === 'fix') {
        browser.openFix(error);
        return show(null);
      }
      await attempt(ACTION_NAMES[action], async ({ syncErrors: all }) => {
        if (action === 'export') offerDownload(`fieldtide-problem-${error.id}.json`, await all.export([error.id]));
        else if (action === 'undo' || action === 'undelete') {
          await all.undo(error.id);
          // Who takes a change back has seen what is online, and wants that.
          await browser.showNewest();
        } else await all[action](error.id);
      });
    },
    resolveAll: (action) =>
      attempt(ACTION_NAMES[action], async ({ syncErrors: all }) => {
        const outcomes = await all.resolve(action === 'undo' ? 'all' : syncErrors.filter(({ actions }) => actions.includes(action)).map(({ id }) => id), action);
        if (action === 'undo') await browser.showNewest();
        for (const outcome of outcomes) if (outcome.kind === 'failed') log.add({ tone: 'bad', text: `${ACTION_NAMES[action]} did not work.`, why: outcome.fault.message });
      }),
    acknowledge: ({ id }) => attempt('Acknowledging', ({ notices: all }) => all.acknowledge(id)),
    copyToNew: (notice) =>
      attempt('Copying', async (running) => {
        const { object, id } = await copyToNew(running, notice);
        openRecord(object, id);
      }),
    connect(next) {
      client = next;
      next.syncErrors.subscribe((errors) => {
        if (errors.length === 0 && pane === 'problems') pane = null;
        syncErrors = errors;
        onChange();
      });
      next.notices.subscribe((all) => {
        notices = all.filter(({ acknowledgedAt }) => acknowledgedAt === null);
        if (notices.length === 0 && pane === 'notices') pane = null;
        onChange();
      });
    },
  };
}

/** What the ways to resolve a sync error are called. */
export const ACTION_NAMES: Readonly<Record<SyncErrorAction, string>> = {
  undo: 'Undo',
  undelete: 'Undelete',
  retry: 'Retry',
  keepMine: 'Keep mine',
  fix: 'Fix',
  recreate: 'Recreate',
  export: 'Export',
};
