// Opens the store of a folder, saves notes one after another and says so, until it is killed.
import { pglite } from '../../src/server/store/pglite.ts';
import { note } from '../../src/testing/server-store-suite/context.ts';

const [folder = '', seedFolder = '', run = ''] = process.argv.slice(2);
const store = pglite({ folder, seedFolder });
await store.ready;
process.stdout.write('ready\n');
for (let index = 0; ; index++) {
  const id = `${run}-${index}`;
  await store.run('t', async (transaction) => {
    await transaction.putRecords([note(id, id)]);
    await transaction.openFeed('ann', 'f');
    await transaction.appendFeed('ann', { createdAt: index, store: run, number: index, records: [{ object: 'note', id }] });
  });
  process.stdout.write(`${id}\n`);
}
