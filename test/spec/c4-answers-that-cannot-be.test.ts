import { afterEach, describe, expect, test } from 'vitest';
import type { Parts } from '../../src/client/parts.ts';
import type { EntryResult } from '../../src/protocol/messages.ts';
import { EAGER_PARTS } from '../../src/testing/simulation/eager-parts.ts';
import { forgeResults } from '../support/forged-answer.ts';
import { createWorld, type World } from '../support/world.ts';
import { groupSchema } from './group-schema.ts';

let world: World<typeof groupSchema>;
afterEach(() => world.close());

const refusal = { class: 'conflict', code: 'conflict', message: 'no', member: 0, fields: ['notes'], online: null };
type Saved = Extract<EntryResult, { outcome: 'saved' }>;
type Forge = (result: Saved) => object;

const FORGED: readonly (readonly [what: string, forge: Forge])[] = [
  ['saved, without the records that were sent', (result) => ({ ...result, committed: [] })],
  ['saved, with a record that the answer does not hold', (result) => ({ ...result, current: [99] })],
  ['overwritten, of a member that was not sent', (result) => ({ ...result, overwritten: [{ member: 9, fields: ['notes'], was: result.committed[0] }] })],
  ['overwritten, of a field that was not sent', (result) => ({ ...result, overwritten: [{ member: 0, fields: ['name'], was: result.committed[0] }] })],
  ['overwritten, with the image of another record', (result) => ({ ...result, overwritten: [{ member: 0, fields: ['notes'], was: result.committed[1] }] })],
  ['overwritten, with an image that the answer does not hold', (result) => ({ ...result, overwritten: [{ member: 0, fields: ['notes'], was: 99 }] })],
  ['partly saved, of several records', (result) => ({ ...result, outcome: 'partlySaved', refusal })],
  ['refused, for a member that was not sent', ({ number }) => ({ number, outcome: 'refused', refusal: { ...refusal, member: 2 }, current: [] })],
  ['refused, with an image that the answer does not hold', ({ number }) => ({ number, outcome: 'refused', refusal: { ...refusal, online: 99 }, current: [] })],
  ['discarded, for a header that the entry does not name', ({ number, current }) => ({ number, outcome: 'discarded', header: 1, current })],
  ['discarded, without what was submitted', ({ number }) => ({ number, outcome: 'discarded', header: 0, current: [] })],
  ['to be copied, without what was submitted', ({ number }) => ({ number, outcome: 'needsDuplicate', header: 0, current: [] })],
  ['to be copied, with an image that the answer does not hold', ({ number }) => ({ number, outcome: 'needsDuplicate', header: 0, current: [99] })],
  ['of another number', (result) => ({ ...result, number: result.number + 1 })],
  ['of no known outcome', (result) => ({ ...result, outcome: 'lost' })],
];

describe('C4: an answer that cannot be right', () => {
  test.each(FORGED)('changes nothing: %s', async (_, forge) => {
    world = createWorld(groupSchema);
    const { engine, events, intercept } = await world.device('ann');
    await engine.save([
      { op: 'create', object: 'call', id: 'c1', values: { name: 'St. Mary', notes: 'first' } },
      { op: 'create', object: 'callSample', id: 's1', values: { call: 'c1', product: 'gauze', quantity: 1 } },
    ]);
    await engine.exchange();
    const before = [await engine.query({ object: 'call' }), await engine.query({ object: 'callSample' })];
    intercept(forgeResults((result) => forge(result as Saved)));
    const { entry } = await engine.save([
      { op: 'update', object: 'call', id: 'c1', values: { notes: 'second' } },
      { op: 'update', object: 'callSample', id: 's1', values: { quantity: 2 } },
    ]);
    expect(await engine.exchange()).toMatchObject({ pending: 1, syncErrors: 0, notices: 0 });
    expect(events.findLast((event) => event.type === 'request:failed')).toMatchObject({ purpose: 'upload', fault: { code: 'TRANSPORT_BAD_ANSWER' } });
    expect(events.filter(({ type }) => type === 'upload:refused')).toEqual([]);
    expect((await engine.get('call', 'c1'))?.values.notes).toBe('second');
    // The entry is as it was: the next answer, of the same decision, settles it.
    intercept(null);
    expect(await engine.exchange()).toMatchObject({ pending: 0, syncErrors: 0 });
    expect(await engine.outcome(entry!)).toEqual({ kind: 'saved' });
    expect([await engine.query({ object: 'call' }), await engine.query({ object: 'callSample' })]).not.toEqual(before);
  });
});

describe('C9: a result that takes a part of the client which cannot be loaded', () => {
  test('waits for it; all others of the answer are settled', async () => {
    let isThere = false;
    const parts: Parts = { ...EAGER_PARTS, rareResults: () => (isThere ? EAGER_PARTS.rareResults() : Promise.reject(new TypeError('404'))) };
    world = createWorld(groupSchema);
    const { engine } = await world.device('ann', { parts, lifecycle: { isOnline: false, isForeground: true } });
    await world.server.online.save([{ op: 'create', object: 'order', id: 'o1', values: { status: 'open', notes: 'first' } }]);
    await engine.setLifecycle({ isOnline: true });
    await engine.download();
    await engine.setLifecycle({ isOnline: false });
    await world.server.online.save([{ op: 'update', object: 'order', id: 'o1', values: { notes: 'theirs' } }]);
    const overwrite = await engine.update('order', 'o1', { notes: 'mine' });
    const other = await engine.create('task', { title: 'a letter' });
    await engine.setLifecycle({ isOnline: true });
    expect(await engine.exchange()).toMatchObject({ pending: 1, syncErrors: 0, notices: 0 });
    expect(await engine.outcome(other.entry!)).toEqual({ kind: 'saved' });
    isThere = true;
    await world.clock.advance(60_000);
    expect(await engine.outcome(overwrite.entry!)).toEqual({ kind: 'saved' });
    expect(await engine.listNotices()).toMatchObject([{ kind: 'overwritten' }]);
  });
});
