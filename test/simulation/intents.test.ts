import { expect, test } from 'vitest';
import { Intents } from './oracle/intents.ts';

test('what a form shows and is saved with it is no change of what another save has made of it meanwhile, and anything else is', () => {
  const intents = new Intents();
  const shown = { staff: null, referredBy: null };
  intents.begin({ kind: 'save', changes: [{ op: 'update', object: 'account', id: 'a1', values: { referredBy: 'a2', staff: null }, form: () => shown }] });
  const before = { staff: 84, referredBy: null };
  expect(intents.hasChange('account/a1', before, { staff: 84, referredBy: 'a2' }, [])).toBe(true);
  expect(intents.hasChange('account/a1', before, { staff: 84, referredBy: 'a3' }, [])).toBe(false);
  expect(intents.hasChange('account/a1', before, { staff: 85, referredBy: 'a2' }, [])).toBe(false);
});
