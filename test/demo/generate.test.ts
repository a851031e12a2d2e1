import { describe, expect, test } from 'vitest';
import { addDecimals, centsToDecimal, multiplyDecimals } from '../../demo/decimal.ts';
import { generateCrm } from '../../demo/generate.ts';

const today = new Date('2026-11-21T12:00:00Z');

describe('the generated CRM', () => {
  test('is the same for the same seed and another for another', () => {
    expect(generateCrm({ today })).toEqual(generateCrm({ today }));
    expect(generateCrm({ today, seed: 2 })).not.toEqual(generateCrm({ today }));
  });

  test('names parents before their children, and every id once', () => {
    const seen = new Set<unknown>();
    for (const { id, values } of generateCrm({ today, accounts: 40 })) {
      for (const name of ['account', 'contact', 'call', 'order', 'product', 'survey']) {
        if (typeof values[name] === 'string') expect(seen).toContain(values[name]);
      }
      expect(seen).not.toContain(id);
      seen.add(id);
    }
    expect(seen.size).toBeGreaterThan(500);
  });
});

describe('decimals', () => {
  test('multiply and add exactly where floats would not', () => {
    expect(multiplyDecimals('0.1', '3')).toBe('0.3');
    expect(addDecimals(['0.1', '0.2', '10'])).toBe('10.3');
    expect(addDecimals([])).toBe('0');
    expect(multiplyDecimals('-1.25', '4')).toBe('-5');
    expect(centsToDecimal(5)).toBe('0.05');
  });
});
