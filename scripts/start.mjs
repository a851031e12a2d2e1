// npm start: the demo, from whatever state the clone is in.
import { prepare } from './prepare.mjs';

const DEMO = 'demo/server.ts';

prepare();
const { runProgram } = await import('./run-ts.mjs');
await runProgram(DEMO, process.argv.slice(2));
