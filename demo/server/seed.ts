import type { OnlineAccess, OnlineChange } from '../../src/server/index.ts';
import { generateCrm, type GenerateOptions, type SeedRecord } from '../generate.ts';

/** Most records saved in one transaction. */
const BATCH = 250;

/**
 * Fills an empty server with the demo's CRM. What is there already is left alone, so that a start after an interrupted one goes on.
 *
 * @param report - hears how many of all records are there, after each step.
 */
export async function seedServer(online: OnlineAccess, options: GenerateOptions, report: (done: number, all: number) => void): Promise<void> {
  const records = generateCrm(options);
  let done = 0;
  for (const batch of batchesOf(records)) {
    const { object, id } = batch[0]!;
    done += batch.length;
    // A batch is one transaction: its first record tells of all of them.
    if ((await online.get(object, id)) !== null) continue;
    const outcome = await online.save(batch.map(toChange), { user: 'seed' });
    if (outcome.kind !== 'saved') throw new Error(`the demo's records could not be saved: ${JSON.stringify(outcome)}`);
    report(done, records.length);
  }
}

/** Cuts before an account, so that an order and its lines stay together. */
function batchesOf(records: readonly SeedRecord[]): readonly (readonly SeedRecord[])[] {
  const batches: SeedRecord[][] = [[]];
  for (const record of records) {
    if (record.object === 'account' && batches.at(-1)!.length >= BATCH) batches.push([]);
    batches.at(-1)!.push(record);
  }
  return batches;
}

function toChange({ object, id, values }: SeedRecord): OnlineChange {
  return { op: 'create', object, id, values };
}
