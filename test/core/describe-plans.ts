import { describe, expect, test } from 'vitest';
import { ATTENTION, type Core, type FeedPlanInput } from '../../src/core/core.ts';
import { encodeImages, type Image } from '../../src/protocol/items.ts';
import { createLayout } from '../../src/protocol/layout.ts';
import { encodeRow } from '../../src/protocol/row.ts';
import { NO_VERSION, type RecordVersion } from '../../src/protocol/version.ts';

const ORDER = createLayout('order', [{ name: 'name', type: 'text' }]);
const OLDER_ORDER = createLayout('order', [{ name: 'title', type: 'text' }]);
const CONTACT = createLayout('contact', [{ name: 'name', type: 'text' }]);
const VISIT = createLayout('visit', [{ name: 'name', type: 'text' }]);
const LAYOUTS = [ORDER, CONTACT, OLDER_ORDER, VISIT];

/** An image of a record, by default of an order of epoch 1. */
function image(id: string, version: number | RecordVersion, layout = 0): Image {
  const row = encodeRow(LAYOUTS[layout]!, { name: 'x' });
  return { layout, id, version: typeof version === 'number' ? [1, version] : version, state: 'live', row };
}

/** What to do with each image of a feed batch. */
export function describePlans(getCore: () => Core): void {
  const plan = (images: readonly Image[], input: Partial<FeedPlanInput> = {}): unknown => {
    const answer = getCore().planFeed({
      items: encodeImages(images),
      layouts: LAYOUTS,
      baseVersions: images.map(() => NO_VERSION),
      attention: [],
      replace: 'newer',
      ...input,
    });
    return answer.ok ? answer.verdicts : answer;
  };

  describe('a feed plan', () => {
    test('merges what is new', () => {
      expect(plan([image('a', 1), image('b', 1)])).toEqual(['merge', 'merge']);
    });

    test('has no verdicts for no images', () => {
      expect(plan([])).toEqual([]);
    });

    test('C6: takes the newest image of a record, wherever it stands', () => {
      expect(plan([image('a', 2), image('a', 3), image('a', 1)])).toEqual(['superseded', 'merge', 'superseded']);
    });

    test('takes the later of two images of one version', () => {
      expect(plan([image('a', 2), image('a', 2)])).toEqual(['superseded', 'merge']);
    });

    test('puts the epoch before the number', () => {
      expect(plan([image('a', [2, 1]), image('a', [1, 9])])).toEqual(['merge', 'superseded']);
      expect(plan([image('a', [2, 1])], { baseVersions: [[1, 9]] })).toEqual(['merge']);
    });

    test('tells versions beyond 2^32 apart', () => {
      const images = [image('a', 2 ** 32), image('a', 2 ** 32 - 1), image('b', 5)];
      expect(plan(images, { baseVersions: [NO_VERSION, NO_VERSION, [1, 2 ** 32 + 4]] })).toEqual(['merge', 'superseded', 'stale']);
    });

    test('C6: leaves what is not newer than the base', () => {
      expect(plan([image('a', 4), image('b', 5), image('c', 6)], { baseVersions: [[1, 5], [1, 5], [1, 5]] })).toEqual(['stale', 'stale', 'merge']);
    });

    test('C6: of a snapshot page merges an equal version too', () => {
      expect(plan([image('a', 4), image('b', 5)], { baseVersions: [[1, 5], [1, 5]], replace: 'newer-or-equal' })).toEqual(['stale', 'merge']);
    });

    test('A36: waits for a record in use', () => {
      expect(plan([image('a', 1)], { attention: [{ object: 'order', id: 'a', flags: ATTENTION.inUse }] })).toEqual(['wait']);
    });

    test('A39: keeps aside what comes for a pending record, and for one in error, even in use', () => {
      const attention = [
        { object: 'order', id: 'a', flags: ATTENTION.pending },
        { object: 'order', id: 'b', flags: ATTENTION.inError },
        { object: 'order', id: 'c', flags: ATTENTION.pending | ATTENTION.inUse },
      ];
      expect(plan([image('a', 1), image('b', 1), image('c', 1)], { attention })).toEqual(['discard', 'discard', 'discard']);
    });

    test('joins what several entries say of one record', () => {
      const attention = [{ object: 'order', id: 'a', flags: ATTENTION.inUse }, { object: 'order', id: 'a', flags: ATTENTION.inError }];
      expect(plan([image('a', 1)], { attention })).toEqual(['discard']);
      expect(plan([image('a', 1)], { attention: attention.toReversed() })).toEqual(['discard']);
    });

    test('says stale or superseded whatever the attention says', () => {
      const attention = [{ object: 'order', id: 'a', flags: ATTENTION.pending }];
      expect(plan([image('a', 1), image('a', 2)], { attention, baseVersions: [[1, 5], [1, 5]] })).toEqual(['superseded', 'stale']);
    });

    test('knows a record by its object and id', () => {
      expect(plan([image('a', 1), image('a', 2, 1), image('a', 3, 3)])).toEqual(['merge', 'merge', 'merge']);
      const attention = [{ object: 'contact', id: 'a', flags: ATTENTION.inUse }, { object: 'parcel', id: 'a', flags: ATTENTION.inUse }];
      expect(plan([image('a', 1), image('a', 2, 1)], { attention })).toEqual(['merge', 'wait']);
    });

    test('takes two layouts of one object for the same object', () => {
      expect(plan([image('a', 1), image('a', 2, 2)])).toEqual(['superseded', 'merge']);
    });

    test('tells ids apart that begin alike', () => {
      const attention = [{ object: 'order', id: 'aa', flags: ATTENTION.inUse }];
      expect(plan([image('a', 1), image('aa', 1), image('ä', 1)], { attention })).toEqual(['merge', 'wait', 'merge']);
    });

    test('takes deletes like rows', () => {
      expect(plan([{ layout: 0, id: 'a', version: [1, 2], state: 'deleted', row: null }, image('a', 1)])).toEqual(['merge', 'superseded']);
    });

    test('takes batches of thousands', () => {
      const images = Array.from({ length: 4_000 }, (_, index) => image(`r-${index % 3_000}`, index + 1));
      const verdicts = images.map((_, index) => (index < 1_000 ? 'superseded' : index % 3_000 === 1_500 ? 'wait' : 'merge'));
      expect(plan(images, { attention: [{ object: 'order', id: 'r-1500', flags: ATTENTION.inUse }] })).toEqual(verdicts);
    });

    test('refuses items that are not canonical', () => {
      expect(plan([], { items: Uint8Array.of(0xc1) })).toEqual({ ok: false, status: 'unexpected-type', offset: 0 });
    });

    test('is a fault without a base version for each image', () => {
      expect(() => plan([image('a', 1)], { baseVersions: [] })).toThrow(expect.objectContaining({ code: 'CORE_INPUT_INVALID' }) as Error);
    });
  });
}
