import { describe, expect, test } from 'vitest';
import { findViolation } from '../../src/protocol/constraints.ts';
import { integer, multiPicklist, number, picklist, text, type Field, type FieldValue } from '../../src/protocol/field.ts';

describe('constraints of a field', () => {
  test.each<[string, Field, FieldValue, RegExp | null]>([
    ['no value where none is required', text(), null, null],
    ['no value where one is required', text({ required: true }), null, /required/],
    ['a text as long as it may be', text({ max: 2 }), '😀', null],
    ['a text that is longer', text({ max: 1 }), '😀', /1 characters/],
    ['a number at its edges', integer({ min: 1, max: 3 }), 1, null],
    ['a number below', integer({ min: 1 }), 0, /at least 1/],
    ['a number above', number({ max: 3 }), 3.1, /at most 3/],
    ['an option', picklist('a', 'b'), 'b', null],
    ['no option', picklist('a', 'b'), 'c', /one of a, b/],
    ['options', multiPicklist('a', 'b'), ['a', 'b'], null],
    ['an option and none', multiPicklist('a', 'b'), ['a', 'c'], /one of a, b/],
  ])('say of %s what is wrong with it', (_case, field, value, violation) => {
    const found = findViolation(field, value);
    if (violation === null) expect(found).toBeNull();
    else expect(found).toMatch(violation);
  });
});
