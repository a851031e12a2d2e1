import { expect, test } from 'vitest';
import { encodeEnvelope } from '../../src/protocol/envelope.ts';
import { describeOnBothStores } from './both-stores.ts';
import { readFault, settle, type TestChange } from './harness.ts';

const create = (id: string, name = id): TestChange => ({ create: 'account', id, values: { name } });
const setCity = (from: string | null, to: string): TestChange => ({ update: 'account', id: 'a1', from: { city: from }, to: { city: to } });

describeOnBothStores('voiding upload numbers', (newWorld) => {
  test('C2: a voided number stays voided: an upload that comes late under it writes nothing', async () => {
    const { device } = newWorld();
    const tablet = device('ann');
    expect(await tablet.void(3, 5)).toMatchObject([{ number: 3, outcome: 'voided' }, { number: 5, outcome: 'voided' }]);
    expect((await tablet.save(3, create('a1'))).outcome).toBe('voided');
    expect((await tablet.save(3, create('a2'))).outcome).toBe('voided');
    expect(await tablet.void(3)).toMatchObject([{ number: 3, outcome: 'voided' }]);
    expect((await tablet.record('account', 'a1')).images).toEqual([]);
    expect((await tablet.hello()).server.head).toBe(0);
    expect((await tablet.save(4, create('a1'))).outcome).toBe('saved');
  });

  test('C2: a number that was saved is answered with the save, as it was committed and as it is', async () => {
    const { device } = newWorld();
    const tablet = device('ann'), phone = device('ann', 'ann-phone');
    const first = await tablet.save(1, create('a1'));
    await phone.save(1, setCity(null, 'Bruges'));
    const [voided] = await tablet.void(1);
    expect(voided).toMatchObject({ number: 1, outcome: 'saved', currentImages: [{ version: [1, 2], values: { city: 'Bruges' } }] });
    expect(voided!.committedImages).toEqual(first.committedImages);
    expect(await tablet.save(1, create('a1'))).toMatchObject({ outcome: 'saved' });
  });

  test('C2: a number that was refused is answered with the refusal and the records as they are online', async () => {
    const { device } = newWorld();
    const tablet = device('ann'), phone = device('ann', 'ann-phone');
    await tablet.save(1, create('a1'));
    await phone.save(1, setCity(null, 'Ghent'));
    await tablet.save(2, create('a2'), setCity(null, 'Bruges'));
    await phone.save(2, setCity('Ghent', 'Leuven'));
    expect(await tablet.void(2)).toMatchObject([{
      number: 2, outcome: 'refused', class: 'conflict', refusal: { member: 1, fields: ['city'] }, onlineImage: { id: 'a1', values: { city: 'Leuven' } },
    }]);
  });

  test('C2: numbers are voided within their store and user alone', async () => {
    const { device } = newWorld();
    await device('ann').void(1);
    for (const other of [device('ann', 'ann-phone'), device('bob')]) expect((await other.save(1, create(other.store))).outcome).toBe('saved');
    const foreign = await device('bob', 'ann-tablet').post(encodeEnvelope({ protocol: 1, store: 'ann-tablet', attempt: 'x', numbers: [2] }), {}, 'void');
    expect(readFault(foreign)).toMatchObject({ status: 403, code: 'AUTH_REFUSED' });
    expect((await device('ann').save(2, create('a1'))).outcome).toBe('saved');
  });

  test('C2: of an upload and its void that race, one decides and both answers say the same', async () => {
    const { device } = newWorld();
    const tablet = device('ann');
    for (let number = 1; number <= 10; number++) {
      const id = `a${number}`;
      const upload = () => tablet.save(number, create(id)).then(({ outcome }) => outcome), voiding = () => tablet.void(number).then(([result]) => result!.outcome);
      const order = number % 2 === 0 ? [upload, voiding] : [voiding, upload];
      const outcomes = await Promise.all(order.map((ask) => ask()));
      expect(outcomes[0]).toBe(outcomes[1]);
      expect((await tablet.record('account', id)).images.length).toBe(outcomes[0] === 'saved' ? 1 : 0);
    }
  });

  test('C2: of a refused upload, its repeats and its void that race, one decides and all answers say the same', async () => {
    let refusals = 0;
    const { device } = newWorld({ afterCommit: ({ outcome }) => void (refusals += outcome === 'refused' ? 1 : 0) });
    const tablet = device('ann');
    await tablet.save(1, create('a1'));
    let refused = 0;
    for (let number = 2; number <= 13; number++) {
      const upload = () => tablet.save(number, create('a1', 'other')).then(({ outcome }) => outcome), voiding = () => tablet.void(number).then(([result]) => result!.outcome);
      const order = number % 3 === 0 ? [voiding, upload, upload] : number % 3 === 1 ? [upload, voiding, upload] : [upload, upload, voiding];
      const outcomes = await Promise.all(order.map((ask) => ask()));
      expect(new Set(outcomes).size, outcomes.join()).toBe(1);
      expect(['refused', 'voided']).toContain(outcomes[0]);
      refused += outcomes[0] === 'refused' ? 1 : 0;
    }
    await settle();
    expect(refusals).toBe(refused);
  });

  test('C2: a void waits for the upload that is under way and answers what became of it', async () => {
    let goOn = (): void => {}, entered = (): void => {};
    const isIn = new Promise<void>((resolve) => (entered = resolve));
    const { device } = newWorld({
      objects: { account: { async validate() { await new Promise<void>((resolve) => { goOn = resolve; entered(); }); } } },
    });
    const tablet = device('ann');
    const upload = tablet.save(1, create('a1'));
    await isIn;
    const voiding = tablet.void(1);
    await settle();
    goOn();
    expect([(await upload).outcome, (await voiding)[0]!.outcome]).toEqual(['saved', 'saved']);
  });

  test('bad requests to void are refused whole', async () => {
    const { device } = newWorld({ limits: { entries: 2 } });
    const tablet = device('ann');
    const send = async (numbers: unknown) => readFault(await tablet.post(encodeEnvelope({ protocol: 1, store: tablet.store, attempt: 'x', numbers }), {}, 'void'));
    expect(await send([1, 0])).toMatchObject({ status: 400, code: 'PROTOCOL_MALFORMED' });
    expect(await send([1.5])).toMatchObject({ status: 400, code: 'PROTOCOL_MALFORMED' });
    expect(await send([-1])).toMatchObject({ status: 400, code: 'PROTOCOL_MALFORMED' });
    expect(await send([1, 2, 3])).toMatchObject({ status: 413, code: 'PROTOCOL_TOO_LARGE' });
    expect(readFault(await tablet.post(new Uint8Array([0xc1]), {}, 'void'))).toMatchObject({ status: 400, code: 'PROTOCOL_MALFORMED' });
    expect(readFault(await tablet.post(encodeEnvelope({}), { 'content-type': 'text/plain' }, 'void'))).toMatchObject({ status: 400 });
    expect((await tablet.save(1, create('a1'))).outcome).toBe('saved');
  });
});
