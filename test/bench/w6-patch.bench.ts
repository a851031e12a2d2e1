// W6: what does a save of two fields of one of 100,000 records cost through the public client, against careful JavaScript by hand?
import { Packr } from 'msgpackr';
import { createSyncClient, type SyncClient } from '../../bindings/node/index.ts';
import type { Field } from '../../src/protocol/field.ts';
import { encodeRow } from '../../src/protocol/row.ts';
import { encodeImage, encodeLayout, STATE } from '../../src/client/store/stored.ts';
import { defineSchema } from '../../src/schema.ts';
import { memory } from '../../src/storage/memory.ts';
import type { StorageAdapter } from '../../src/storage/storage-adapter.ts';
import { createSeededRandom } from '../support/seeded-random.ts';
import { CRM_LAYOUT, makeRecord } from './crm-rows.ts';
import { carefulRatioOf, measuredOf, reportComparison, reportGoal } from './report.ts';
import type { Sample } from './samples.ts';

const RECORDS = 100_000;
const SAVES = 1000;
const ROUNDS = 15;
const WARM_UP = 5;
const USER = 'ann';

type Values = Readonly<Record<string, unknown>>;

/** Something that keeps records and what is to be sent of them. */
interface Contender {
  readonly name: string;
  /** Resolves when the save is as durable as this store can make it. */
  save(id: string, values: Values): Promise<unknown>;
  close(): Promise<void>;
}

const random = createSeededRandom(6);
const ids = Array.from({ length: RECORDS }, (_, index) => `r${String(index).padStart(8, '0')}`);
const records = ids.map(() => makeRecord(random));

function byHand(): Contender {
  const packr = new Packr({ structures: [], maxSharedStructures: 32 });
  const rows = new Map(records.map((record, index) => [ids[index]!, packr.pack(record) as Uint8Array]));
  const queue = new Map<number, Uint8Array>();
  let nextSeq = 1;
  return {
    name: 'by hand: Map of rows, msgpackr shared structures',
    async save(id, values) {
      const record = packr.unpack(rows.get(id)!) as Record<string, unknown>;
      const previous: Record<string, unknown> = {};
      for (const name of Object.keys(values)) {
        previous[name] = record[name];
        record[name] = values[name];
      }
      const seq = nextSeq++;
      const entry = packr.pack({ seq, object: 'order', id, savedAt: Date.now(), previous, next: values });
      rows.set(id, packr.pack(record));
      queue.set(seq, entry);
      return seq;
    },
    close: async () => {},
  };
}

async function filled(): Promise<StorageAdapter> {
  const adapter = memory();
  const storage = await adapter.open({ tenant: '', user: USER });
  const putRecords = records.map((record, index) => ({
    object: 'order',
    id: ids[index]!,
    bytes: encodeImage({ layout: CRM_LAYOUT, version: [1, index + 1], state: 'live', row: encodeRow(CRM_LAYOUT, record) }),
  }));
  await storage.commit({ putRecords, putState: [{ key: STATE.layout + CRM_LAYOUT.hash, bytes: encodeLayout(CRM_LAYOUT) }], durability: 'strict' });
  await storage.close();
  return adapter;
}

const fields = Object.fromEntries(
  CRM_LAYOUT.fields.map(({ name, type }): [string, Field] => [name, { type, owner: 'device', required: false, ...(type === 'reference' && { target: 'order' }) }]),
);
const schema = defineSchema({ version: 1, objects: { order: { fields } } });

async function client(): Promise<Contender> {
  const opened: SyncClient<typeof schema> = createSyncClient({
    schema,
    user: USER,
    storage: await filled(),
    transport: { send: () => Promise.reject(new Error('there is no network')) },
  });
  await opened.ready;
  await opened.setLifecycle({ isOnline: false });
  const { order } = opened.objects;
  return { name: 'the public client, memory storage', save: (id, values) => order.update(id, values as Parameters<typeof order.update>[1]), close: () => opened.close() };
}

const contenders = [byHand(), await client()];
const samples = contenders.map((): Sample[] => []);
let saves = 0;
for (let round = -WARM_UP; round < ROUNDS; round++) {
  // Each save another record: what becomes of repeated saves of one is measured in w6-save.
  const chosen = Array.from({ length: SAVES }, (_, place) => ids[((saves + place) * 61_803) % RECORDS]!);
  for (const [index, contender] of contenders.entries()) {
    const cpu = process.cpuUsage(), start = performance.now();
    for (const [place, id] of chosen.entries()) await contender.save(id, { quantity: saves + place, comment: `called at ${saves + place}` });
    const wallMs = performance.now() - start, { user, system } = process.cpuUsage(cpu);
    if (round >= 0) samples[index]!.push({ wallMs, cpuMs: (user + system) / 1e3 });
  }
  saves += SAVES;
}
for (const { close } of contenders) await close();

const report = reportComparison({
  id: 'w6-patch',
  title: `W6: a save of two fields of one of ${RECORDS} records`,
  rounds: ROUNDS,
  items: SAVES,
  baseline: contenders[0]!.name,
  measured: contenders.map(({ name }, index) => measuredOf(name, samples[index]!)),
  skipped: [],
});
reportGoal('w6-save', 1 / carefulRatioOf(report, contenders[1]!.name));
