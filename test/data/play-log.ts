import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Schema } from '../../src/schema.ts';
import { createSyncServer, refuse, type SyncServer, type SyncServerOptions } from '../../src/server/index.ts';
import { memory } from '../../src/server/store/memory.ts';
import { pglite } from '../../src/server/store/pglite.ts';
import type { ServerStore } from '../../src/server/store/server-store.ts';
import type { Random } from '../../src/shared/random.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { nextValuesOf, readLines, valuesOf, type DataEdit, type DataRecord } from '../support/real-data.ts';
import { createSeededRandom } from '../support/seeded-random.ts';
import { canonicalRows, canonicalRowsOn, canonicalRowsOnline, differences, NONE, type CanonicalRows } from './canonical-rows.ts';
import { familiesOf, IMPORT, Masters, readEditLog, takesPart, type EditLog, type LogMapping, type Transaction } from './edit-log.ts';
import { RestlessDevice, type Death } from './restless-device.ts';

export interface PlayOptions extends LogMapping {
  readonly folder: string;
  readonly seed: number;
  /** Transactions of more records are one save on the server, made by one record that the device saves; smaller ones are saved by family. */
  readonly importFrom: number;
}

/** What playing a log came to. */
export interface PlayedLog {
  readonly transactions: number;
  readonly edits: number;
  /** Records of the largest transaction that was one save. */
  readonly largest: number;
  /** Saves that the device uploaded itself. */
  readonly saves: number;
  readonly kills: number;
  readonly spells: number;
  readonly pages: number;
  readonly parts: number;
  /** Times that a device was killed in the middle of a large transaction, and had all of it or nothing when it was opened again. */
  readonly lookedAt: number;
}

const USER = 'u';
const SEED_RECORDS = 1_000;

/** A large transaction comes in as many parts as this makes of it, more where a device asks for fewer records. */
const PAGE_ITEMS = 4_000;

/** How often, of a hundred transactions, a following device does what. */
const CHANCES = { poll: 30, spell: 2, kill: 5, killInImport: 60 } as const;
const LONGEST_SPELL = 60;

/**
 * Plays a whole log through one device, in its order, while two others follow it as phones do: they poll when it suits them, in pages of any
 * size, are offline for a while, and die with a page in their hands. In the end all three and the server have what the data set ends with.
 */
export async function playLog({ folder, seed, importFrom, ...mapping }: PlayOptions): Promise<PlayedLog> {
  const log = await readEditLog(folder, mapping);
  const backend = await openBackend(log.schema);
  const random = createSeededRandom(seed);
  const { server } = backend;
  try {
    await seedRecords(server, log.first);
    const open = (index: number) => RestlessDevice.open({ schema: log.schema, server, user: USER, seed: seed + index });
    const writer = await open(1);
    const followers = [new Follower(await open(2), random), new Follower(await open(3), random)];
    for (const device of [writer, ...followers.map((follower) => follower.device)]) expect((await device.engine.download()).records).toBe(log.first.length);

    const played = { transactions: 0, edits: 0, largest: 0, saves: 0 };
    const imports = new Map<string, number>();
    const masters = new Masters(log.first);
    for await (const transaction of log.transactions()) {
      const { commit, edits } = transaction;
      const isImport = edits.length > importFrom;
      if (isImport) for (const follower of followers) await follower.prepareForImport();
      played.transactions++;
      played.edits += edits.length;
      if (isImport) {
        imports.set(commit, edits.length);
        played.largest = Math.max(played.largest, edits.length);
        backend.imports.set(commit, edits);
        await writer.engine.create(IMPORT, { records: edits.length }, commit);
      } else {
        for (const family of familiesOf(edits, masters.before, mapping.masterOf)) {
          await writer.engine.save(family.map((edit) => ({ op: edit.op === 'delete' ? 'remove' : edit.op, object: edit.object, id: edit.id, values: nextValuesOf(edit) })));
          played.saves++;
        }
      }
      expect(await writer.exchange()).toMatchObject({ state: 'upToDate', pending: 0, syncErrors: 0 });
      backend.imports.clear();
      masters.take(edits);
      for (const follower of followers) await follower.follow(transaction, isImport);
    }
    for (const follower of followers) await follower.catchUp();

    expect(backend.problems).toEqual([]);
    const expected = await expectedRows(log, folder, imports, mapping.oneIn ?? 1);
    expect(differences(await canonicalRowsOnline(server, log.schema), expected)).toEqual(NONE);
    for (const device of [writer, ...followers.map((follower) => follower.device)]) {
      expect(differences(await canonicalRowsOn(device.engine, log.schema), expected)).toEqual(NONE);
      await device.close();
    }
    const sum = (count: (follower: Follower) => number): number => followers.reduce((total, follower) => total + count(follower), 0);
    return {
      ...played,
      kills: sum(({ device }) => device.counts.kills),
      spells: sum(({ device }) => device.counts.spells),
      pages: sum(({ device }) => device.counts.pages),
      parts: sum(({ device }) => device.counts.parts),
      lookedAt: sum(({ lookedAt }) => lookedAt),
    };
  } finally {
    await backend.close();
  }
}

/** Says what a run cost: of the whole process, so run it alone to measure. */
export function describeCost(set: string, played: PlayedLog, startedAt: number): string {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  return `${set}: ${JSON.stringify(played)} in ${seconds} s, ${Math.round((userCPUTime + systemCPUTime) / 1e6)} s of CPU, at most ${Math.round(maxRSS / 1_024)} MB`;
}

/** A device of the same user that only reads. */
class Follower {
  readonly device: RestlessDevice;
  lookedAt = 0;
  readonly #random: Random;
  #offlineFor = 0;
  /** Records of the largest transaction that it has not read; 0 when it has read all there is. */
  #largest = 0;

  constructor(device: RestlessDevice, random: Random) {
    this.device = device;
    this.#random = random;
    device.pickLimit = () => anyLimit(random, this.#largest);
  }

  /** Half of the time it has read everything before a large transaction comes: then what it has of that is all or nothing. */
  async prepareForImport(): Promise<void> {
    if (this.#offlineFor === 0 && this.#chance(50)) await this.#read();
  }

  async follow(transaction: Transaction, isImport: boolean): Promise<void> {
    const wasCurrent = this.#largest === 0;
    this.#largest = Math.max(this.#largest, transaction.edits.length);
    if (this.#offlineFor > 0) {
      if (--this.#offlineFor === 0) await this.device.goOnline();
    } else if (this.#chance(CHANCES.spell)) {
      this.#offlineFor = 1 + Math.floor(this.#random.next() * LONGEST_SPELL);
      await this.device.goOffline();
    } else if (this.#chance(isImport ? CHANCES.killInImport : CHANCES.kill)) {
      if ((await this.#read(this.#pickDeath())) === 'killed' && isImport && wasCurrent) await this.#expectAllOrNothing(transaction);
    } else if (this.#chance(CHANCES.poll)) await this.#read();
  }

  async #read(death: Death | null = null): ReturnType<RestlessDevice['exchange']> {
    const outcome = await this.device.exchange(death);
    if (outcome !== 'killed') this.#largest = 0;
    return outcome;
  }

  async catchUp(): Promise<void> {
    await this.device.goOnline();
    expect(await this.device.exchange()).toMatchObject({ state: 'upToDate', pending: 0, syncErrors: 0, hasFeedGap: false, parked: 0, lastFault: null });
  }

  #chance(ofHundred: number): boolean {
    return this.#random.next() * 100 < ofHundred;
  }

  #pickDeath(): Death {
    const after = 1 + Math.floor(this.#random.next() * 8);
    const pick = this.#random.next();
    return pick < 0.4 ? { kind: 'answer', after } : { kind: 'commit', after, fate: pick < 0.7 ? 'crash-before' : 'crash-after' };
  }

  /** Rule A35: whether the record that stands for a large transaction is here says it of every other record of it. */
  async #expectAllOrNothing({ commit, edits }: Transaction): Promise<void> {
    const { engine } = this.device;
    const isHere = (await engine.get(IMPORT, commit)) !== null;
    const made = edits.filter(({ op }) => op !== 'update');
    const step = Math.max(1, Math.floor(made.length / MOST_LOOKED_AT));
    const looked = made.filter((_, index) => index % step === 0);
    const found = await Promise.all(looked.map(async ({ object, id }) => (await engine.get(object, id)) !== null));
    expect(looked.filter(({ op }, index) => found[index] !== (op === 'create' ? isHere : !isHere)).map(({ object, id }) => `${object}/${id}`)).toEqual([]);
    this.lookedAt++;
  }
}

const MOST_LOOKED_AT = 200;

/**
 * What the server allows, or any other number of records, at times a single one. A large transaction is not cut into hundreds of parts: what
 * a part costs the server grows with the whole.
 */
function anyLimit(random: Random, largest: number): number | null {
  if (random.next() < 0.5) return null;
  const least = largest <= MOST_IN_SMALL ? 1 : Math.ceil(largest / LEAST_OF_LARGE);
  return least + Math.floor(random.next() ** 3 * 2_000);
}

const MOST_IN_SMALL = 100;
const LEAST_OF_LARGE = 4;

interface Backend {
  readonly server: SyncServer;
  /** What imports under way write: on a real server a file that it has. */
  readonly imports: Map<string, readonly DataEdit[]>;
  /** What went wrong on the server. */
  readonly problems: unknown[];
  close(): Promise<void>;
}

/** On a store in memory; on a database in a folder where FIELDTIDE_DATA_STORE is `pglite`. */
async function openBackend(schema: Schema): Promise<Backend> {
  const folder = process.env.FIELDTIDE_DATA_STORE === 'pglite' ? await mkdtemp(join(tmpdir(), 'fieldtide-log-')) : null;
  const store: ServerStore & { close(): Promise<void> } = folder === null ? memory() : pglite({ folder });
  const imports = new Map<string, readonly DataEdit[]>();
  const problems: unknown[] = [];
  const server = createSyncServer({
    schema,
    store,
    authenticate: () => ({ user: USER }),
    // The clock stands still: no hook runs out of time, and no request takes too long.
    clock: createManualClock(),
    pollSharingMs: 0,
    random: createSeededRandom(1),
    // Raised for the largest transaction of the data: its answer to the device that saved it comes in one message.
    limits: { bodyBytes: 256 * 2 ** 20, members: 50_000, entryBytes: 64 * 2 ** 20, pageItems: PAGE_ITEMS },
    log: (event) => problems.push(event),
    objects: { [IMPORT]: { afterSave: ({ id, write }) => runImport(write, imports.get(id)) } },
  });
  return {
    server,
    imports,
    problems,
    async close() {
      await server.close();
      await store.close();
      if (folder !== null) await rm(folder, { recursive: true, force: true });
    },
  };
}

type Trigger = NonNullable<NonNullable<NonNullable<SyncServerOptions['objects']>[string]>['afterSave']>;

async function runImport(write: Parameters<Trigger>[0]['write'], edits: readonly DataEdit[] | undefined) {
  if (edits === undefined) return refuse(null, 'unknown-import');
  for (const edit of edits) {
    const { op, object, id } = edit;
    if (op === 'delete') await write.remove(object, id);
    else if (op === 'update') await write.update(object, id, nextValuesOf(edit));
    else await write.create(object, { ...nextValuesOf(edit), id });
  }
  return undefined;
}

async function seedRecords(server: SyncServer, records: readonly DataRecord[]): Promise<void> {
  for (let from = 0; from < records.length; from += SEED_RECORDS) {
    const page = records.slice(from, from + SEED_RECORDS);
    const outcome = await server.online.save(page.map((record) => ({ op: 'create', object: record.object, id: record.id, values: valuesOf(record) })));
    if (outcome.kind !== 'saved') throw new Error(`the first snapshot was not taken: ${JSON.stringify(outcome)}`);
  }
}

async function expectedRows({ schema }: EditLog, folder: string, imports: ReadonlyMap<string, number>, oneIn: number): Promise<CanonicalRows> {
  const rows = canonicalRows(schema, [...imports].map(([id, records]) => ({ object: IMPORT, id, values: { records } })));
  for await (const record of readLines<DataRecord>(join(folder, 'snapshot-last.ndjson.gz'))) {
    if (!takesPart(record, oneIn)) continue;
    for (const [key, row] of canonicalRows(schema, [{ object: record.object, id: record.id, values: valuesOf(record) }])) rows.set(key, row);
  }
  return rows;
}
