import { describe, expect, test } from 'vitest';
import { decodeEnvelope, encodeEnvelope } from '../../src/protocol/envelope.ts';
import { memory, type CommitStep } from '../../src/server/store/memory.ts';
import { describeOnBothStores } from './both-stores.ts';
import { createWorld, readFault, type TestChange } from './harness.ts';

const create = (id: string): TestChange => ({ create: 'account', id, values: { name: id } });
const setCity = (from: string | null, to: string): TestChange => ({ update: 'account', id: 'a1', from: { city: from }, to: { city: to } });
const DAY = 86_400_000;

describeOnBothStores('receipts', (newWorld) => {
  test('C2: many copies of one request at once save once, and all get the same answer', async () => {
    const { device } = newWorld();
    const tablet = device('ann');
    const answers = await Promise.all(Array.from({ length: 12 }, () => tablet.save(1, create('a1'))));
    expect(new Set(answers.map(({ committedImages }) => JSON.stringify(committedImages))).size).toBe(1);
    expect(answers[0]).toMatchObject({ outcome: 'saved', committedImages: [{ version: [1, 1] }] });
    expect((await tablet.hello()).server.head).toBe(1);
  });

  test('C2: a refusal stays a refusal, though the same content would be accepted now', async () => {
    const { device } = newWorld();
    const tablet = device('ann'), phone = device('ann', 'ann-phone');
    await tablet.save(1, create('a1'));
    await phone.save(1, setCity(null, 'Ghent'));
    expect(await tablet.save(2, setCity(null, 'Bruges'))).toMatchObject({ outcome: 'refused', class: 'conflict', onlineImage: { values: { city: 'Ghent' } } });
    await phone.save(2, setCity('Ghent', ''));
    expect(await tablet.save(2, setCity(null, 'Bruges'))).toMatchObject({ outcome: 'refused', class: 'conflict', onlineImage: { version: [1, 3], values: { city: null } } });
    expect((await tablet.save(3, setCity(null, 'Bruges'))).outcome).toBe('saved');
  });

  test('C5: a repeat has the images as they were committed, and as they are', async () => {
    const { device } = newWorld();
    const tablet = device('ann'), phone = device('ann', 'ann-phone');
    await tablet.save(1, create('a1'));
    const first = await tablet.save(2, setCity(null, 'Ghent'));
    await phone.save(1, setCity('Ghent', 'Bruges'), create('a2'));
    const repeat = await tablet.save(2, setCity(null, 'Ghent'));
    expect(repeat.committedImages).toEqual(first.committedImages);
    expect(repeat.currentImages).toMatchObject([{ version: [1, 3], values: { city: 'Bruges' } }]);
  });

  test('C2: the same number with other content is a copied store, and changes nothing', async () => {
    const { device } = newWorld();
    const tablet = device('ann');
    await tablet.save(1, create('a1'));
    for (const other of [[create('a2')], [create('a1'), create('a2')], [setCity(null, 'x')]]) {
      expect((await tablet.save(1, ...other)).outcome).toBe('copied');
    }
    expect((await tablet.record('account', 'a2')).images).toEqual([]);
  });

  test('C2: numbers belong to a store, and stores to a user', async () => {
    const { device } = newWorld();
    expect((await device('ann').save(1, create('a1'))).outcome).toBe('saved');
    expect((await device('ann', 'ann-phone').save(1, create('a2'))).outcome).toBe('saved');
    expect((await device('bob').save(1, create('a3'))).outcome).toBe('saved');
  });
});

describe('receipts', () => {
  test('C4: a repeat may travel in another message, beside other entries', async () => {
    const { device } = createWorld();
    const tablet = device('ann');
    await tablet.upload({ number: 1, savedAt: 5, changes: [create('a1')] });
    const { results } = await tablet.upload({ number: 2, changes: [{ create: 'order', id: 'o1', values: {} }] }, { number: 1, savedAt: 5, changes: [create('a1')] });
    expect(results).toMatchObject([{ outcome: 'saved' }, { outcome: 'saved', committedImages: [{ id: 'a1', version: [1, 1] }] }]);
  });

  test('A25: a failure before the commit leaves no record, no receipt and no feed row; the repeat saves', async () => {
    let failAt: CommitStep | null = null;
    const world = createWorld({ store: memory({ intercept: (step) => { if (step === failAt) throw new Error('the disk is gone'); } }) });
    const tablet = world.device('ann');
    await tablet.hello();
    failAt = 'before-commit';
    const answer = await tablet.post(tablet.encodeUpload([{ number: 1, changes: [create('a1')] }]));
    expect(readFault(answer)).toMatchObject({ status: 500, code: 'SERVER_FAILED' });
    expect(readFault(answer).message).not.toContain('disk');
    failAt = null;
    expect((await tablet.record('account', 'a1')).images).toEqual([]);
    expect((await tablet.hello()).server.head).toBe(0);
    expect(await world.store.run('default', (transaction) => transaction.claimReceipt({ user: 'ann', store: tablet.store, number: 1 }))).toBeNull();
    expect(await tablet.save(1, create('a1'))).toMatchObject({ outcome: 'saved', committedImages: [{ version: [1, 1] }] });
  });

  test('A25: a crash between commit and answer: the repeat gets the receipt, the feed has one entry', async () => {
    let failAt: CommitStep | null = null;
    const world = createWorld({ store: memory({ intercept: (step) => { if (step === failAt) throw new Error('crash'); } }) });
    await world.device('ann').hello();
    failAt = 'after-commit';
    const tablet = world.device('ann');
    expect((await tablet.post(tablet.encodeUpload([{ number: 1, changes: [create('a1')] }]))).status).toBe(500);
    failAt = null;
    world.store.crash();
    const next = createWorld({ store: world.store });
    expect(await next.device('ann').save(1, create('a1'))).toMatchObject({ outcome: 'saved', committedImages: [{ version: [1, 1] }] });
    expect((await next.device('ann', 'ann-phone').poll(null))!.saves).toMatchObject([{ number: 1, images: [{ id: 'a1' }] }]);
  });

  test('C2: receipts are kept ninety days; after that a create is still recognised by its id', async () => {
    const { device, clock } = createWorld();
    const tablet = device('ann');
    await tablet.save(1, create('a1'));
    await clock.advance(90 * DAY - 60_000);
    await tablet.save(2, create('a2'));
    expect((await tablet.save(1, create('a3'))).outcome).toBe('copied');
    await clock.advance(2 * 3_600_000);
    await tablet.save(3, create('a4'));
    expect(await tablet.save(1, create('a1'))).toMatchObject({ outcome: 'saved', currentImages: [{ version: [1, 1] }] });
    expect((await tablet.save(2, create('a5'))).outcome).toBe('copied');
  });

  test('C2: a save keeps its receipt though a server wrote it that knew of no overwritten fields', async () => {
    const { device, store } = createWorld();
    const tablet = device('ann');
    await tablet.save(1, create('a1'));
    const key = { user: 'ann', store: tablet.store, number: 1 };
    await store.run('default', async (transaction) => {
      const receipt = (await transaction.getReceipt(key))!;
      const kept = decodeEnvelope(receipt.result) as { results: [Record<string, unknown>] };
      const { overwritten, ...result } = kept.results[0];
      expect(overwritten).toEqual([]);
      await transaction.putReceipt(key, { ...receipt, result: encodeEnvelope({ ...kept, results: [result] }) });
    });
    expect(await tablet.save(1, create('a1'))).toMatchObject({ outcome: 'saved', overwritten: [], committedImages: [{ id: 'a1', version: [1, 1] }] });
    expect(await tablet.void(1)).toMatchObject([{ outcome: 'saved', committedImages: [{ id: 'a1' }] }]);
  });

  test('an answer that is full leaves the rest for later', async () => {
    const { device } = createWorld({ limits: { bodyBytes: 30_000 } });
    const note = (number: number): TestChange => ({ create: 'order', id: `o${number}`, values: { notes: 'x'.repeat(20_000) } });
    const tablet = device('ann');
    for (const number of [1, 2, 3]) await tablet.save(number, note(number));
    const touch = (number: number) => ({ number, changes: [{ update: 'order', id: `o${number - 10}`, from: {}, to: { status: 'open' } } as const] });
    const { results } = await tablet.upload(touch(11), touch(12), touch(13));
    expect(results.map(({ outcome }) => outcome)).toEqual(['saved', 'saved', 'tryLater']);
    expect((await tablet.upload(touch(13))).results).toMatchObject([{ outcome: 'saved' }]);
  });

  test('C3: an answer is also full of what was committed then, and of what was overwritten', async () => {
    const { device, server } = createWorld({ limits: { bodyBytes: 60_000 } });
    const tablet = device('ann');
    const numbers = [1, 2, 3];
    for (const number of numbers) await tablet.save(number, { create: 'order', id: `o${number}`, values: { notes: 'x' } });
    const setAll = (notes: string) => server.online.save(numbers.map((number) => ({ op: 'update', object: 'order', id: `o${number}`, values: { notes } }) as const));
    await setAll('y'.repeat(20_000));
    const over = (number: number) => ({ number: number + 10, changes: [{ update: 'order', id: `o${number}`, from: { notes: 'x' }, to: { notes: 'z'.repeat(12_000) } } as const] });
    // Two entries bring two images each: as the records were, and as they are.
    const first = await tablet.upload(over(1), over(2), over(3));
    expect(first.results.map(({ outcome }) => outcome)).toEqual(['saved', 'saved', 'tryLater']);
    await tablet.upload(over(3));
    await setAll('w'.repeat(20_000));
    // Now three each.
    expect((await tablet.upload(over(1), over(2), over(3))).results.map(({ outcome }) => outcome)).toEqual(['saved', 'saved', 'tryLater']);
    expect((await tablet.void(11, 12, 13)).map(({ outcome }) => outcome)).toEqual(['saved', 'saved', 'tryLater']);
  });
});
