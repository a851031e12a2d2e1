// Part of npm run lint: every rule that docs/SPEC.md calls built is named by a test.
// A rule is a table row whose first cell is its number and whose last cell starts with "built": `| A11 | … | built |`.
import { readdirSync, readFileSync } from 'node:fs';

const SPEC = 'docs/SPEC.md';

const rules = [...readFileSync(SPEC, 'utf8').matchAll(/^\|\W*([ABC]\d+)\b.*\|\W*built\b[^|]*\|\s*$/gim)].map(([, rule]) => String(rule));
const tests = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => readFileSync(`test/${name}`, 'utf8'))
  .join('\n');
const named = new Set(tests.match(/\b[ABC]\d+\b/g));
const untested = rules.filter((rule) => !named.has(rule));
for (const rule of untested) console.error(`${SPEC}: rule ${rule} is marked built, and no test under test/ names it`);
console.log(`spec: ${rules.length} rules built, ${rules.length - untested.length} of them named by a test`);
process.exit(untested.length > 0 ? 1 : 0);
