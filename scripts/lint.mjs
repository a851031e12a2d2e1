// npm run lint: oxlint over everything we write, then the checks that only this code base has.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const WRITTEN_BY_US = ['src', 'bindings', 'test', 'scripts', 'demo', 'docs/examples', 'vitest.config.ts'].filter((path) => existsSync(path));

const CHECKS = [
  ['node_modules/oxlint/bin/oxlint', '--deny-warnings', '--report-unused-disable-directives', ...WRITTEN_BY_US],
  ['scripts/check-layers.mjs'],
  ['scripts/check-spec.mjs'],
];

let failed = false;
for (const args of CHECKS) {
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  failed ||= status !== 0;
}
process.exit(failed ? 1 : 0);
