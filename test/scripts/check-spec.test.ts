import { describe, expect, test } from 'vitest';
import { checkSpec } from '../../scripts/spec/check-spec.mjs';

const spec = `
| rule | what holds | state |
|---|---|---|
| A11 | A save is durable. | built |
| **A12** | Drafts. | built, but for one part |
| A13 | At once. | later; the lane is built |

A1 to A3 say what it is for.
`;

const check = (files: Record<string, string>) => checkSpec(spec, new Map(Object.entries(files)), 'test/spec/');

const title = (rules: string): string => `test('${rules}: holds', () => {});`;

describe('rules against tests', () => {
  test('finds nothing wrong when every built rule has a test in its place', () => {
    expect(check({ 'test/spec/a11-a12.test.ts': title('A11, A12') })).toEqual({ built: ['A11', 'A12'], problems: [] });
  });

  test('reports a built rule that is only named elsewhere, or only in passing', () => {
    const { problems } = check({ 'test/client/save.test.ts': title('A11'), 'test/spec/save.test.ts': `// rule A12\n${title('A11').replace('A11: ', 'A11 ')}` });
    expect(problems).toEqual([expect.stringContaining('rule A11'), expect.stringContaining('rule A12')]);
  });

  test('reports a test of a rule that there is not, wherever it is', () => {
    const all = title('A11, A12');
    expect(check({ 'test/spec/all.test.ts': all, 'test/server/save.test.ts': title('A2, A4') }).problems).toEqual(['test/server/save.test.ts names rule A4, which there is not']);
    expect(check({ 'test/spec/all.test.ts': all, 'test/server/save.test.ts': title('A3, A13') }).problems).toEqual([]);
  });

  test('reads titles in each kind of quotes, of tables of cases too', () => {
    expect(check({ 'test/spec/all.test.ts': 'describe("A11: one", f);\ntest.each([1])(`A12: two`, f);' }).problems).toEqual([]);
  });
});
