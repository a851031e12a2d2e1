import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FAULT_CODES } from '../../src/shared/fault-codes.ts';

test('docs/ERRORS.md has a heading for every fault code, and for no other', () => {
  const headings = [...readFileSync('docs/ERRORS.md', 'utf8').matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
  expect([...headings].sort()).toEqual([...FAULT_CODES].sort());
});
