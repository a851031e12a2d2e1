import { runSeed } from './run-seed.ts';
import { createTrace } from './trace.ts';
const [first = '1', count = '10', print] = process.argv.slice(2);
const began = performance.now();
let failed = 0, saves = 0, requests = 0;
for (let seed = Number(first); seed < Number(first) + Number(count); seed++) {
  const result = await runSeed({ seed, trace: createTrace(print ? { print: console.log } : {}) });
  saves += result.saves; requests += result.requests;
  if (result.violation) { failed++; console.log(seed, result.violation.rule, result.violation.message.slice(0, 600)); if (count === '1' && !print) console.log(result.trace.tail(60).join('\n')); }
}
const s = (performance.now() - began) / 1000, cpu = process.cpuUsage();
console.log(`cpu ${((cpu.user + cpu.system) / 1000 / Number(count)).toFixed(1)} ms/seed`);
console.log(`${failed} failed of ${count}, ${(Number(count) / s).toFixed(1)} seeds/s, ${saves} saves, ${requests} requests`);
