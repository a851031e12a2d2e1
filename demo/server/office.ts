import { compileQuery } from '../../src/client/read/match-query.ts';
import type { Query } from '../../src/client/read/query.ts';
import type { OnlineAccess, OnlineChange, OnlineRecord, ServerStore } from '../../src/server/index.ts';
import { SyncFault } from '../../src/schema.ts';
import type { FeedEntry, FeedsAnswer, FeedSummary, OfficeReceipt } from '../office-messages.ts';
import { schema } from '../schema.ts';
import { DEMO_USERS } from './authenticate.ts';
import { FEED_RETENTION_MS, type DemoClock } from './demo-clock.ts';
import { OfficeRefusal } from './json-answer.ts';

/** The back office: the server's records without any sync, and a look at what it keeps for devices. */
export interface Office {
  query(query: Query): Promise<readonly unknown[]>;
  save(change: OnlineChange): Promise<{ readonly id: string | null }>;
  /** What can still be read of the feeds. */
  feeds(): Promise<FeedsAnswer>;
  /** Lets a week pass on the server, so that no feed keeps what is on it now. */
  passWeek(): void;
  receipts(): readonly OfficeReceipt[];
  /** Something was saved: what was read is old. */
  forget(): void;
}

export interface OfficeOptions {
  readonly online: OnlineAccess;
  readonly store: ServerStore;
  readonly receipts: () => readonly OfficeReceipt[];
  readonly clock: DemoClock;
}

const TENANT = 'default';
const SHOWN_FEED_ENTRIES = 50;
const PAGE = 1_000;

export function createOffice({ online, store, receipts, clock }: OfficeOptions): Office {
  const read = new Map<string, Promise<readonly OnlineRecord[]>>();

  /** All records of an object, kept until something is saved: every panel of every page asks for them again then. */
  function recordsOf(object: string): Promise<readonly OnlineRecord[]> {
    const known = read.get(object);
    if (known !== undefined) return known;
    const reading = readAll(object);
    read.set(object, reading);
    reading.catch(() => read.delete(object));
    return reading;
  }

  async function readAll(object: string): Promise<readonly OnlineRecord[]> {
    const records: OnlineRecord[] = [];
    for (let page = await online.list(object, { limit: PAGE }); page.length > 0; ) {
      records.push(...page);
      page = page.length < PAGE ? [] : await online.list(object, { after: records.at(-1)!.id, limit: PAGE });
    }
    return records;
  }

  return {
    async query(query) {
      const compiled = compileQuery(query, schema);
      const views = (await recordsOf(query.object)).map(({ object, id, values }) => ({ object, id, values, syncState: 'synced' as const }));
      return compiled.arrange(views.filter(compiled.matches)).map(({ id, values }) => ({ id, ...values }));
    },
    async save(change) {
      const outcome = await online.save([change], { user: 'office' });
      if (outcome.kind === 'refused') throw new OfficeRefusal(outcome.refusal.message, outcome.refusal.fields[0] ?? null);
      if (outcome.kind === 'failed') throw new SyncFault('SERVER_FAILED', 'a rule of the back office failed', { cause: outcome.cause });
      return { id: outcome.records[0]?.id ?? null };
    },
    async feeds() {
      const feeds: FeedSummary[] = [];
      const entries: FeedEntry[] = [];
      for (const user of DEMO_USERS) {
        await store.read(TENANT, async (view) => {
          const head = (await view.getFeed(user))?.head ?? 0;
          feeds.push({ user, head });
          const oldest = await view.oldestFeedPosition(user, clock.now() - FEED_RETENTION_MS);
          if (oldest === null) return;
          const rows = await view.listFeed(user, Math.max(oldest - 1, head - SHOWN_FEED_ENTRIES), SHOWN_FEED_ENTRIES);
          entries.push(...rows.map(({ position, createdAt, ...row }) => ({ user, position, at: createdAt, ...row })));
        });
      }
      return { feeds, entries: entries.sort((left, right) => right.at - left.at), today: clock.now() };
    },
    passWeek: () => clock.passWeek(),
    receipts,
    forget: () => read.clear(),
  };
}
