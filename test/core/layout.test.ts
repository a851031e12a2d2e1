import { describe, expect, test } from 'vitest';
import * as layout from '../../assembly/layout.ts';
import { BATCH_VERDICTS } from '../../src/core/batch.ts';
import { ATTENTION, CORE_STATUSES, VERDICTS } from '../../src/core/core.ts';
import { FIELD_TYPE_CODES } from '../../src/protocol/field.ts';
import { CHANGE_OPS, IMAGE_STATES } from '../../src/protocol/items.ts';
import { VALUE_LIMITS } from '../../src/protocol/value.ts';

/** The numbers of one family in assembly/layout.ts, by name in lower case with hyphens. */
function family(prefix: string): Record<string, number> {
  const entries = Object.entries(layout).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(entries.map(([name, value]) => [name.slice(prefix.length).toLowerCase().replaceAll('_', '-'), value]));
}

function hyphenated(names: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(names).map(([name, value]) => [name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`), value]));
}

function numbered(names: readonly string[]): Record<string, number> {
  return Object.fromEntries(names.map((name, index) => [name, index]));
}

describe('the layout that core and callers share', () => {
  test('numbers statuses as the core names them, then its own two', () => {
    expect(family('STATUS_')).toEqual({ ...numbered(CORE_STATUSES), 'bad-regions': 16, 'index-full': 17 });
  });

  test('numbers verdicts as the core names them', () => {
    expect(family('VERDICT_')).toEqual(numbered(BATCH_VERDICTS));
    expect(BATCH_VERDICTS.slice(0, VERDICTS.length)).toEqual(VERDICTS);
  });

  test('has the type codes of the protocol', () => {
    expect(family('TYPE_')).toEqual(hyphenated(FIELD_TYPE_CODES));
  });

  test('has the states and operations of the protocol', () => {
    expect(family('STATE_')).toEqual(IMAGE_STATES);
    expect(family('OP_')).toEqual(CHANGE_OPS);
  });

  test('has the limits of the protocol', () => {
    expect(layout).toMatchObject({
      MAX_TEXT_BYTES: VALUE_LIMITS.textBytes,
      MAX_ID_BYTES: VALUE_LIMITS.idBytes,
      MAX_DECIMAL_DIGITS: VALUE_LIMITS.decimalDigits,
      MAX_JSON_DEPTH: VALUE_LIMITS.jsonDepth,
      FIRST_INSTANT_MS: VALUE_LIMITS.firstInstantMs,
      LAST_INSTANT_MS: VALUE_LIMITS.lastInstantMs,
      MAX_SAFE_INTEGER: Number.MAX_SAFE_INTEGER,
      MAX_EPOCH: 2 ** 31 - 1,
      MAX_MESSAGE_DEPTH: 32,
    });
  });

  test('has the attention bits of the core', () => {
    expect([layout.ATTENTION_PENDING, layout.ATTENTION_IN_ERROR, layout.ATTENTION_IN_USE, layout.ATTENTION_INCOMPLETE, layout.ATTENTION_CARE]).toEqual(Object.values(ATTENTION));
  });

  test.each(['IMAGE_', 'CHANGE_', 'RESULT_', 'PLAN_', 'NEED_', 'BASE_', 'LAYOUT_'])('numbers the words of %s without gaps', (prefix) => {
    const { words, ...offsets } = family(prefix);
    expect(Object.values(offsets)).toEqual(Array.from({ length: words! }, (_, index) => index));
  });
});
