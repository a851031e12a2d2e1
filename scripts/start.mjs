// npm start: the demo, from whatever state the clone is in.
import { existsSync } from 'node:fs';
import { prepare } from './prepare.mjs';

const DEMO = 'demo/server.ts';

prepare();
if (!existsSync(DEMO)) throw new Error(`${DEMO} is not there yet`);
const { runProgram } = await import('./run-ts.mjs');
await runProgram(DEMO, process.argv.slice(2));
