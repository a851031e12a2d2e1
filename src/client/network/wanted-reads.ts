import { mastersOf } from '../answers/around.ts';
import type { EngineContext } from '../engine-context.ts';
import { isReadTo } from '../store/feed-moment.ts';
import { splitKey, type Key } from '../store/record-key.ts';
import { Step } from '../store/step.ts';
import { noteRead, readWanted } from '../store/wanted.ts';

export interface WantedReadsOptions {
  readonly context: EngineContext;
  /** Reads a record with its group, and answers which records came. */
  readonly fetchRecord: (object: string, id: string) => Promise<ReadonlySet<Key>>;
  /** Whether anything may be asked for now. */
  readonly mayAsk: () => boolean;
}

/** Most reads at a time: polls wait meanwhile. */
const MOST_READS = 20;
/** How long a read that brought nothing waits before it is made again, in milliseconds; twice as long each time. */
const AGAIN = { firstMs: 15_000, mostMs: 3_600_000 } as const;

/**
 * Records that the feed may never bring, and that are asked for one by one: those of changes that were taken back, until they were read
 * (rule B13), and those that wait for a master of which the feed has said nothing (rule A35). What fails is asked for again after later
 * polls, also by the next start of the app.
 */
export class WantedReads {
  readonly #options: WantedReadsOptions;
  #undone: Promise<Set<Key>> | null = null;
  readonly #tries = new Map<Key, { readonly count: number; readonly dueAt: number }>();
  #running: Promise<void> | null = null;

  constructor(options: WantedReadsOptions) {
    this.#options = options;
  }

  /** Records were noted as wanted: they are read now, if that can be. */
  async want(keys: Iterable<Key>): Promise<void> {
    const undone = await this.#load();
    for (const key of keys) {
      undone.add(key);
      this.#tries.delete(key);
    }
    return this.run();
  }

  /** Reads what is wanted and due. Failures show in the status, and are made good later. */
  run(): Promise<void> {
    this.#running ??= this.#run().catch(() => {}).finally(() => (this.#running = null));
    return this.#running;
  }

  /** Everything is due again. */
  hurry(): void {
    this.#tries.clear();
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    const { fetchRecord, mayAsk, context } = this.#options;
    const undone = await this.#load();
    const asked = new Set<Key>();
    for (let count = 0; count < MOST_READS && mayAsk(); count++) {
      const key = this.#next(undone, asked);
      if (key === null) return;
      asked.add(key);
      this.#noteTry(key);
      const { object, id } = splitKey(key);
      // Each brings its group, which is not asked for again then.
      const known = await fetchRecord(object, id);
      for (const one of known) asked.add(one);
      const read = [key, ...known].filter((one) => undone.delete(one));
      for (const one of read) this.#tries.delete(one);
      if (read.length > 0) await context.steps.run(() => forget(context, read));
    }
  }

  #next(undone: ReadonlySet<Key>, asked: ReadonlySet<Key>): Key | null {
    const now = this.#options.context.clock.monotonic();
    const isDue = (key: Key): boolean => !asked.has(key) && (this.#tries.get(key)?.dueAt ?? 0) <= now;
    for (const keys of [undone, orphans(this.#options.context)]) for (const key of keys) if (isDue(key)) return key;
    return null;
  }

  #noteTry(key: Key): void {
    const count = (this.#tries.get(key)?.count ?? 0) + 1;
    const waitMs = Math.min(AGAIN.mostMs, AGAIN.firstMs * 2 ** (count - 1));
    this.#tries.set(key, { count, dueAt: this.#options.context.clock.monotonic() + waitMs });
  }

  #load(): Promise<Set<Key>> {
    this.#undone ??= readWanted(this.#options.context.store).catch((fault: unknown) => {
      this.#undone = null;
      throw fault;
    });
    return this.#undone;
  }
}

/** Of each group that waits for nothing but masters which are not here, a record that hangs on one: it comes with them. */
function* orphans({ store, places }: EngineContext): Generator<Key> {
  for (const { headers, members, masters, until } of store.parked.values()) {
    if (masters.length === 0 || !isReadTo(until, store.meta) || [...headers, ...members.keys()].some((key) => store.isBusy(key))) continue;
    const hanging = [...members.keys()].find((key) => mastersOf(places, key, store.side(key)).some((master) => masters.includes(master)));
    if (hanging !== undefined) yield hanging;
  }
}

async function forget({ store }: EngineContext, keys: readonly Key[]): Promise<void> {
  const step = new Step();
  noteRead(step, keys);
  await store.commit(step, 'relaxed');
}
