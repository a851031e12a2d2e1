// The device that is killed: `client-process <folder> <url> <seed>`. Saves one thing after another and says so, until told to drain.
import { createInterface } from 'node:readline';
import { createSyncClient } from '../../bindings/node/index.ts';
import { createSeededRandom } from '../support/seeded-random.ts';
import { fileStorage } from '../support/file-storage.ts';
import { removalToken } from './backend.ts';
import type { Attempt, ClientCommand, ClientMessage, RecordTokens } from './client-messages.ts';
import { schema, USER } from './schema.ts';

const [folder = '', url = '', seed = ''] = process.argv.slice(2);
const random = createSeededRandom(Number(seed));
const client = createSyncClient({ schema, user: USER, storage: fileStorage(folder), transport: { url, timeoutMs: 5_000 }, pollIntervalMs: 300 });
const { note, remark, counter, trace } = client.objects;
client.events.subscribe(({ type }) => {
  if (type === 'upload:accepted' || type === 'upload:refused') say({ kind: 'settled' });
});
let isDraining = false;
let saves = 0;

const commands: Readonly<Record<ClientCommand, () => Promise<void>>> = {
  wake: () => client.wake(),
  drain: async () => void (isDraining = true),
  async end() {
    await client.close();
    process.exit(0);
  },
};
createInterface({ input: process.stdin }).on('line', (line) => void commands[line as ClientCommand]().catch(fail));

try {
  await client.ready;
  say({ kind: 'ready', records: await recordTokens() });
  await downloadOnce();
  while (!isDraining) {
    await saveSomething();
    // Often without a pause, so that kills hit a save in the middle; not so often that the queue only grows.
    if (random.next() < 0.7) await pause(random.next() * 50);
  }
  await drain();
} catch (thrown) {
  fail(thrown);
}

/** A device begins with a download; a killed one goes on with it. */
async function downloadOnce(): Promise<void> {
  while ((await client.status.get()).lastDownloadAt === null) await client.download().catch(() => pause(200));
}

async function saveSomething(): Promise<void> {
  const notes = (await note.query({ where: { amount: { atLeast: 0 } } }).get()).map(({ id }) => id);
  const remarks = (await remark.query().get()).map(({ id }) => id);
  const token = `${seed}-${saves++}`;
  const dice = random.next();
  const pick = (ids: readonly string[]): string => ids[Math.floor(random.next() * ids.length)]!;

  const counters = (await counter.query().get()).map(({ id }) => id);
  if (counters.length > 0 && random.next() < 0.4) {
    return attempt({ op: 'update', id: pick(counters), token, isDoomed: false }, ({ id }) => counter.update(id, { token }));
  }
  if (notes.length < 5 || dice < 0.2) return attempt({ op: 'create', id: `note-${token}`, token, isDoomed: false }, ({ id }) => note.create({ id, token, amount: 1 }));
  if (dice < 0.25) return attempt({ op: 'create', id: `doomed-${token}`, token, isDoomed: true }, ({ id }) => note.create({ id, token, amount: -1 }));
  if (dice < 0.35) {
    const parent = pick(notes);
    return attempt({ op: 'create', id: `remark-${token}`, token, isDoomed: false }, ({ id }) => remark.create({ id, note: parent, token }));
  }
  if (dice < 0.5 && remarks.length > 0) return attempt({ op: 'update', id: pick(remarks), token, isDoomed: false }, ({ id }) => remark.update(id, { token }));
  if (dice < 0.58 && remarks.length > 3) {
    const id = pick(remarks);
    return attempt({ op: 'remove', id, token: removalToken(id), isDoomed: false }, () => remark.remove(id));
  }
  const amount = Math.floor(random.next() * 1_000);
  return attempt({ op: 'update', id: pick(notes), token, isDoomed: false }, ({ id }) => note.update(id, { token, amount }));
}

async function attempt(what: Attempt, save: (what: Attempt) => Promise<unknown>): Promise<void> {
  say({ kind: 'trying', attempt: what });
  await save(what);
  say({ kind: 'acknowledged', token: what.token });
}

/** Waits until nothing is unsettled and the feed is read to its end. */
async function drain(): Promise<void> {
  for (;;) {
    const { pending, lastDownloadAt } = await client.exchange();
    if (pending === 0 && lastDownloadAt !== null) break;
    await pause(50);
  }
  const errors = await client.syncErrors.list();
  say({
    kind: 'drained',
    records: await recordTokens(),
    traces: (await trace.query().get()).map(({ token }) => token ?? ''),
    refused: errors.map(({ fields }) => String(fields.find(({ field }) => field === 'token')?.mine)),
  });
}

async function recordTokens(): Promise<RecordTokens> {
  const records = [...(await note.query().get()), ...(await remark.query().get())];
  return Object.fromEntries(records.map(({ id, token }) => [id, token ?? '']));
}

function say(message: ClientMessage): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function fail(thrown: unknown): never {
  say({ kind: 'failed', message: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown) });
  process.exit(1);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
