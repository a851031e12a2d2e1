import type { FeedEntry, FeedSummary, OfficeReceipt } from '../../office-messages.ts';
import { createBrowser, type Browser } from '../records/browser.ts';
import type { OfficeApi } from './office-api.ts';
import { createOfficeSource } from './office-source.ts';

export type OfficePart = 'records' | 'feeds' | 'receipts';

/** The back office: the server's records, and what it keeps for the devices. */
export interface Office {
  readonly browser: Browser;
  readonly part: OfficePart;
  readonly isConnected: boolean;
  readonly feeds: readonly FeedSummary[];
  readonly entries: readonly FeedEntry[];
  readonly receipts: readonly OfficeReceipt[];
  /** What the server's clock says; `null` while it was not asked. */
  readonly today: number | null;
  /** How often somebody let a week pass since the page was opened. */
  readonly weeksPassed: number;
  passWeek(): void;
  show(part: OfficePart): void;
}

export function createOffice(api: OfficeApi, onChange: () => void): Office {
  const source = createOfficeSource(api);
  const browser = createBrowser(source, onChange);
  let part: OfficePart = 'records';
  let isConnected = false;
  let feeds: readonly FeedSummary[] = [];
  let entries: readonly FeedEntry[] = [];
  let receipts: readonly OfficeReceipt[] = [];
  let today: number | null = null;
  let weeksPassed = 0;

  async function readSyncState(): Promise<void> {
    const [feedAnswer, receiptAnswer] = await Promise.all([api.feeds(), api.receipts()]);
    ({ feeds, entries, today } = feedAnswer);
    receipts = receiptAnswer;
    onChange();
  }

  api.watchChanges(
    () => {
      browser.titles.forgetAll();
      source.refresh();
      readSyncState().catch(() => {});
    },
    (now) => {
      isConnected = now;
      onChange();
    },
  );

  return {
    browser,
    get part() {
      return part;
    },
    get isConnected() {
      return isConnected;
    },
    get feeds() {
      return feeds;
    },
    get entries() {
      return entries;
    },
    get receipts() {
      return receipts;
    },
    get today() {
      return today;
    },
    get weeksPassed() {
      return weeksPassed;
    },
    passWeek() {
      // The server announces it, and what is shown is read again then; one that cannot be reached says so in its status.
      api.passWeek().then(() => {
        weeksPassed++;
        onChange();
      }, () => {});
    },
    show(next) {
      part = next;
      onChange();
    },
  };
}
