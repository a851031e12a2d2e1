// W6: what does a save cost while 10 entries wait, and while 10,000 do? It must not depend on the length of the queue: at most 1.3 times.
import type { SyncEngine } from '../../src/client/engine.ts';
import { createSyncEngine } from '../../src/client/sync-engine.ts';
import { createTwinCore } from '../../src/core/twin.ts';
import { platformClock } from '../../src/shared/platform.ts';
import { memory } from '../../src/storage/memory.ts';
import { createSeededRandom } from '../support/seeded-random.ts';
import { ordersSchema as schema } from '../support/orders.ts';

const LENGTHS = [10, 10_000] as const;
const SAVES = 20;
const ROUNDS = 41;

type Save = (engine: SyncEngine, save: number) => Promise<unknown>;

const KINDS: Readonly<Record<string, Save>> = {
  'a create': (engine, save) => engine.create('account', { name: `new ${save}`, city: 'Ghent' }),
  'an edit that joins': (engine, save) => engine.update('account', `a${save % 5}`, { city: `city ${save}` }),
  'an edit that does not': (engine, save) => engine.update('memo', `m${save % 5}`, { subject: `subject ${save}` }),
  'a create, taken back': async (engine) => engine.remove('account', (await engine.create('account', { name: 'soon gone' })).id),
  'a group of three': (engine, save) =>
    engine.save([
      { op: 'create', object: 'order', id: `o${save}`, values: { note: 'x' } },
      { op: 'create', object: 'line', values: { order: `o${save}`, product: 'gauze' } },
      { op: 'create', object: 'line', values: { order: `o${save}`, product: 'tape' } },
    ]),
};

async function open(waiting: number): Promise<SyncEngine> {
  const engine = createSyncEngine({
    schema,
    owner: { tenant: '', user: 'ann' },
    storage: memory(),
    transport: { send: () => Promise.reject(new Error('there is no network')) },
    core: createTwinCore(),
    clock: platformClock,
    random: createSeededRandom(6),
    lifecycle: { isOnline: false, isForeground: true },
  });
  for (let one = 0; one < 5; one++) {
    await engine.create('account', { name: `account ${one}` }, `a${one}`);
    await engine.create('memo', { subject: `memo ${one}` }, `m${one}`);
  }
  for (let one = 10; one < waiting; one++) await engine.create('account', { name: `waiting ${one}` }, `w${one}`);
  return engine;
}

async function measure(save: Save): Promise<[few: number, many: number]> {
  const engines = await Promise.all(LENGTHS.map(open));
  const times: number[][] = LENGTHS.map(() => []);
  let saves = 0;
  // The first rounds warm up; the engines take turns, so that a busy machine is as unkind to one as to the other.
  for (let round = -20; round < ROUNDS; round++, saves += SAVES) {
    for (const [index, engine] of engines.entries()) {
      (globalThis as { gc?: () => void }).gc?.();
      const before = process.cpuUsage();
      for (let one = 0; one < SAVES; one++) await save(engine, saves + one);
      // Time of the processor: what else runs on the machine does not count.
      const { user, system } = process.cpuUsage(before);
      if (round >= 0) times[index]!.push((user + system) / SAVES);
    }
  }
  await Promise.all(engines.map((engine) => engine.close()));
  return times.map((list) => list.sort((left, right) => left - right)[Math.floor(ROUNDS / 2)]!) as [number, number];
}

const rows = [];
for (const [kind, save] of Object.entries(KINDS)) {
  const [few, many] = await measure(save);
  rows.push({ save: kind, '10 waiting, µs': few.toFixed(0), '10,000 waiting, µs': many.toFixed(0), ratio: (many / few).toFixed(2) });
}
console.log(`\nW6: a save while others wait (${ROUNDS} rounds of ${SAVES}, median)`);
console.table(rows);
