import { describe, expect, test } from 'vitest';
import { defineSchema, integer, lastModified, reference, text } from '../../src/schema.ts';
import { refuse } from '../../src/server/index.ts';
import { memory, type CommitStep } from '../../src/server/store/memory.ts';
import { describeOnBothStores } from '../server/both-stores.ts';
import { createWorld, type TestChange } from '../server/harness.ts';
import { create, header, remove, update } from './group-schema.ts';

const schema = defineSchema({
  version: 1,
  objects: {
    visit: { onConflict: 'keepCleanFields', fields: { a: text(), b: text(), c: integer({ max: 9 }), friend: reference('visit'), modifiedAt: lastModified() } },
    plain: { fields: { a: text(), b: text() } },
    free: { mode: 'override', onConflict: 'keepCleanFields', fields: { a: text(), b: text() } },
  },
});

const created = create('visit', 'v', { a: 'a', b: 'b', c: 1 });
const online = { op: 'update', object: 'visit', id: 'v', values: { a: 'online' } } as const;
const mine = update('visit', 'v', { a: 'a', b: 'b', c: 1 }, { a: 'mine', b: 'mine', c: 2 });

describeOnBothStores('keepCleanFields on the server', (newWorld) => {
  test('A19: the fields in conflict are refused, all others written in the same save; a repeat says the same', async () => {
    const { device, server, scope } = newWorld({ schema });
    const tablet = device('ann');
    await tablet.save(1, created);
    await server.online.save([online], scope);
    const saved = await tablet.save(2, mine);
    expect(saved).toMatchObject({
      outcome: 'partlySaved',
      refusal: { class: 'conflict', code: 'conflict', member: 0, fields: ['a'] },
      onlineImage: { version: [1, 3], values: { a: 'online', b: 'mine', c: 2 } },
      committedImages: [{ version: [1, 3], values: { a: 'online', b: 'mine', c: 2 } }],
      currentImages: [{ version: [1, 3] }],
    });
    expect((await tablet.poll(null))!.saves.map(({ number }) => number)).toEqual([1, 2]);

    await server.online.save([{ ...online, values: { b: 'later' } }], scope);
    expect(await tablet.save(2, mine)).toMatchObject({
      outcome: 'partlySaved', refusal: { fields: ['a'] }, committedImages: saved.committedImages,
      onlineImage: { version: [1, 4], values: { a: 'online', b: 'later' } }, currentImages: [{ version: [1, 4] }],
    });
    expect(await tablet.void(2)).toMatchObject([{ outcome: 'partlySaved', refusal: { fields: ['a'] }, committedImages: saved.committedImages, onlineImage: { version: [1, 4] } }]);
    // The refused rest, sent again over what is online, is saved.
    expect(await tablet.save(3, update('visit', 'v', { a: 'online' }, { a: 'mine' }))).toMatchObject({ outcome: 'saved' });
  });
});

describe('keepCleanFields on the server', () => {
  test('A19: an edit of which nothing is left to write is refused', async () => {
    const { device, server } = createWorld({ schema });
    const tablet = device('ann');
    await tablet.save(1, created);
    await server.online.save([{ ...online, values: { a: 'online', b: 'mine' } }]);
    expect(await tablet.save(2, update('visit', 'v', { a: 'a' }, { a: 'mine' }))).toMatchObject({ outcome: 'refused', class: 'conflict', refusal: { fields: ['a'] } });
    // What is online already needs no writing.
    expect(await tablet.save(3, update('visit', 'v', { a: 'a', b: 'b' }, { a: 'mine', b: 'mine' }))).toMatchObject({ outcome: 'refused', class: 'conflict', refusal: { fields: ['a'] } });
    expect(await server.online.get('visit', 'v')).toMatchObject({ version: [1, 2] });
  });

  test('A19: an edit without a conflict is saved as any other', async () => {
    const { device } = createWorld({ schema });
    const tablet = device('ann');
    await tablet.save(1, created);
    expect(await tablet.save(2, mine)).toMatchObject({ outcome: 'saved', committedImages: [{ values: { a: 'mine', b: 'mine', c: 2 } }] });
  });

  test('A19: only single updates are divided: not an entry of several records, not a delete, not a create', async () => {
    const { device, server } = createWorld({ schema });
    const tablet = device('ann');
    await tablet.save(1, created);
    await server.online.save([online]);
    expect(await tablet.save(2, mine, create('visit', 'w', {}))).toMatchObject({ outcome: 'refused', class: 'conflict' });
    expect(await tablet.save(3, remove('visit', 'v', { a: 'a', b: 'b' }))).toMatchObject({ outcome: 'refused', class: 'delete-vs-edit' });
    expect(await tablet.save(4, create('visit', 'v', { a: 'x', b: 'b', c: 1 }))).toMatchObject({ outcome: 'refused', class: 'duplicate-key' });
    expect(await server.online.list('visit')).toHaveLength(1);
  });

  test('A19, A23: a save that submits is not divided: what is left of it could never follow', async () => {
    const visits = defineSchema({
      version: 1,
      objects: { visit: { onConflict: 'keepCleanFields', submitted: { field: 'state', values: ['done'] }, fields: { state: text(), a: text(), b: text() } } },
    });
    const { device, server } = createWorld({ schema: visits });
    const tablet = device('ann');
    const named = (number: number, n: number, change: TestChange) => ({ number, headers: [header('visit', 'v', n)], changes: [change] });
    await tablet.saveEntry(named(1, 0, create('visit', 'v', { state: 'open', a: 'a', b: 'b' })));
    await server.online.save([online]);
    const all = update('visit', 'v', { state: 'open', a: 'a', b: 'b' }, { state: 'done', a: 'mine', b: 'mine' });
    expect(await tablet.saveEntry(named(2, 1, all))).toMatchObject({ outcome: 'refused', class: 'conflict', refusal: { fields: ['a'] } });
    expect(await server.online.get('visit', 'v')).toMatchObject({ version: [1, 2], values: { state: 'open', b: 'b' } });
    // Without the submission it is divided as ever, and what is left can follow.
    expect(await tablet.saveEntry(named(3, 1, update('visit', 'v', { a: 'a', b: 'b' }, { a: 'mine', b: 'mine' })))).toMatchObject({ outcome: 'partlySaved', refusal: { fields: ['a'] } });
    expect(await tablet.saveEntry(named(4, 3, update('visit', 'v', { a: 'online', state: 'open' }, { a: 'mine', state: 'done' })))).toMatchObject({ outcome: 'saved' });
  });

  test('A19: objects that do not ask for it refuse the whole save; override objects have no conflicts', async () => {
    const { device, server } = createWorld({ schema });
    const tablet = device('ann');
    await tablet.save(1, create('plain', 'p', { a: 'a', b: 'b' }), create('free', 'f', { a: 'a', b: 'b' }));
    await server.online.save([{ op: 'update', object: 'plain', id: 'p', values: { a: 'online' } }, { op: 'update', object: 'free', id: 'f', values: { a: 'online' } }]);
    expect(await tablet.save(2, update('plain', 'p', { a: 'a', b: 'b' }, { a: 'x', b: 'x' }))).toMatchObject({ outcome: 'refused' });
    expect(await tablet.save(3, update('free', 'f', { a: 'a', b: 'b' }, { a: 'x', b: 'x' }))).toMatchObject({ outcome: 'saved', overwritten: [{ fields: ['a'] }], committedImages: [{ values: { a: 'x', b: 'x' } }] });
  });

  test('A19: what is written is validated as the record that results; if that cannot stand, all of it is refused as the conflict it is', async () => {
    const seen: unknown[] = [];
    const { device, server } = createWorld({
      schema,
      objects: { visit: { validate: ({ next, previous }) => { seen.push([next.a, next.b]); return previous !== null && next.b === 'mine' && next.a !== 'mine' ? refuse('b', 'needs-a') : undefined; } } },
    });
    const tablet = device('ann');
    await tablet.save(1, created);
    await server.online.save([online]);
    seen.length = 0;
    expect(await tablet.save(2, mine)).toMatchObject({ outcome: 'refused', class: 'conflict', refusal: { fields: ['a'] } });
    expect(seen).toEqual([['online', 'mine']]);
    expect(await server.online.get('visit', 'v')).toMatchObject({ version: [1, 2], values: { b: 'b', c: 1 } });
    expect(await tablet.save(3, update('visit', 'v', { a: 'a', c: 1 }, { a: 'x', c: 5 }))).toMatchObject({ outcome: 'partlySaved' });
    expect(await tablet.save(4, update('visit', 'v', { a: 'a', c: 5 }, { a: 'x', c: 10 }))).toMatchObject({ outcome: 'refused', class: 'conflict' });
  });

  test('A19: a reference that is refused need not exist; one that is written must', async () => {
    const { device, server } = createWorld({ schema, strictReferences: true });
    const tablet = device('ann');
    await tablet.save(1, create('visit', 'v', {}), create('visit', 'w', {}));
    await server.online.save([{ ...online, values: { friend: 'w' } }]);
    expect(await tablet.save(2, update('visit', 'v', { friend: null, b: null }, { friend: 'nobody', b: 'x' }))).toMatchObject({ outcome: 'partlySaved', refusal: { fields: ['friend'] } });
    await server.online.save([{ ...online, values: { a: 'online' } }]);
    expect(await tablet.save(3, update('visit', 'v', { friend: 'w', a: 'a' }, { friend: 'nobody', a: 'x' }))).toMatchObject({ outcome: 'refused', class: 'missing-reference' });
  });

  test('A19: permission is asked for all that the user wrote', async () => {
    const asked: unknown[] = [];
    const { device, server } = createWorld({ schema, objects: { visit: { allow: ({ fields, op }) => { asked.push(fields); return op === 'create' || !fields.includes('a'); } } } });
    const tablet = device('ann');
    await tablet.save(1, created);
    await server.online.save([{ ...online, values: { b: 'online' } }]);
    expect(await tablet.save(2, mine)).toMatchObject({ outcome: 'refused', class: 'permission' });
    expect(asked.at(-1)).toEqual(['a', 'b', 'c']);
  });

  test('A25: a crash around the commit leaves all of a partial save or nothing', async () => {
    let failAt: CommitStep | null = null;
    const world = createWorld({ schema, store: memory({ intercept: (step) => { if (step === failAt) throw new Error('crash'); } }) });
    const tablet = world.device('ann');
    await tablet.save(1, created);
    await world.server.online.save([online]);
    for (const [step, b] of [['before-commit', 'b'], ['after-commit', 'mine']] as const) {
      failAt = step;
      expect((await tablet.post(tablet.encodeUpload([{ number: 2, changes: [mine] }]))).status).toBe(500);
      failAt = null;
      expect(await world.server.online.get('visit', 'v')).toMatchObject({ values: { a: 'online', b } });
    }
    expect(await tablet.save(2, mine)).toMatchObject({ outcome: 'partlySaved', committedImages: [{ version: [1, 3] }] });
    expect((await tablet.poll(null))!.saves.map(({ number }) => number)).toEqual([1, 2]);
  });

  test('A26: what was refused of a partial save is kept for support', async () => {
    const { device, server } = createWorld({ schema });
    const tablet = device('ann');
    await tablet.save(1, created);
    await server.online.save([online]);
    await tablet.save(2, mine);
    expect(await server.support.listRefused()).toMatchObject([{ user: 'ann', number: 2, class: 'conflict', fields: ['a'] }]);
  });
});
