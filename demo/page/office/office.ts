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

  async function readSyncState(): Promise<void> {
    const [feedAnswer, receiptAnswer] = await Promise.all([api.feeds(), api.receipts()]);
    ({ feeds, entries } = feedAnswer);
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
    show(next) {
      part = next;
      onChange();
    },
  };
}
