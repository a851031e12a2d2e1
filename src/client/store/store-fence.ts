import type { Clock } from '../../shared/clock.ts';
import { SyncFault } from '../../shared/fault.ts';
import type { Random } from '../../shared/random.ts';
import type { Storage } from '../../storage/storage-adapter.ts';
import type { ClientRules } from '../rules.ts';
import { decodeMeta, encodeMeta, STATE, STORED_FORMAT, type Meta } from './stored.ts';

/** What a new store is made with. */
export interface NewStore {
  readonly clock: Clock;
  readonly random: Random;
  readonly rules: Pick<ClientRules, 'createStoreId'>;
}

/** What the client remembers of itself; `null` in a store that is new. */
export async function readMeta(storage: Storage): Promise<Meta | null> {
  const bytes = await readState(storage, STATE.meta);
  return bytes && decodeMeta(bytes);
}

/** One state row; `null` when there is none. */
export async function readState(storage: Storage, key: string): Promise<Uint8Array | null> {
  const [row] = await storage.scanState({ prefix: key, limit: 1 });
  return row?.key === key ? row.bytes : null;
}

/** What the client of a new store remembers. */
export function createMeta({ clock, random, rules }: NewStore): Meta {
  // A new store has never downloaded, so it does not know what it misses.
  return { format: STORED_FORMAT, store: rules.createStoreId(clock, random), nextSeq: 1, nextNumber: 1, nextNote: 1, forgottenUpTo: 0, cursor: null, hasFeedGap: true, lastDownloadAt: null, download: null, part: null };
}

/** Puts a new fencing mark: whoever held the store before can write no more (fault list: two workers on one store). */
export async function takeOver(storage: Storage, options: NewStore): Promise<Uint8Array> {
  const { random } = options;
  const meta = createMeta(options);
  const fence = random.bytes(16);
  for (;;) {
    const held = await readState(storage, STATE.fence);
    const outcome = await storage.commit({
      expect: [{ key: STATE.fence, bytes: held }],
      putState: [{ key: STATE.fence, bytes: fence }, ...(held === null ? [{ key: STATE.meta, bytes: encodeMeta(meta) }] : [])],
      durability: 'strict',
    });
    if (outcome === 'done') return fence;
  }
}

/** What a client throws that another one has taken the store over from. */
export function takenOver(): SyncFault {
  return new SyncFault('CLIENT_TAKEN_OVER', 'another client has opened this store');
}
