// A process of its own with writers on servers of their own: says that it is ready, waits for the word, and prints what became of each save.
import { once } from 'node:events';
import { postgres } from '../../src/server/store/postgres.ts';
import { write } from './a21-writers.ts';

const [url = '', id = '', saves = '', ...writers] = process.argv.slice(2);
const stores = writers.map(() => postgres({ url, maxConnections: 2 }));
await Promise.all(stores.map(({ ready }) => ready));
process.stdout.write('ready\n');
await once(process.stdin, 'data');
const done = await Promise.all(writers.map((writer, index) => write(stores[index]!, id, Number(writer), Number(saves))));
process.stdout.write(JSON.stringify(done.flat()));
await Promise.all(stores.map((store) => store.close()));
process.stdin.destroy();
