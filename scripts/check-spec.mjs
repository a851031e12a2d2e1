// Part of npm run lint: every rule that docs/SPEC.md calls built has a test under test/spec/ that names it, and no test names another.
import { readdirSync, readFileSync } from 'node:fs';
import { checkSpec } from './spec/check-spec.mjs';

const SPEC = 'docs/SPEC.md';

const tests = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => `test/${name.replaceAll('\\', '/')}`);
const { built, problems } = checkSpec(readFileSync(SPEC, 'utf8'), new Map(tests.map((path) => [path, readFileSync(path, 'utf8')])), 'test/spec/');
for (const problem of problems) console.error(`${SPEC}: ${problem}`);
console.log(`spec: ${built.length} rules built, ${problems.length} problems`);
process.exit(problems.length > 0 ? 1 : 0);
