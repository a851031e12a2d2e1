import { describe, expect, test } from 'vitest';
import { ATTENTION, type Core, type FeedPlanInput, type PlanGroup } from '../../src/core/core.ts';
import { encodeImages, type Image } from '../../src/protocol/items.ts';
import { createLayout } from '../../src/protocol/layout.ts';
import { encodeRow } from '../../src/protocol/row.ts';
import { NO_VERSION, type RecordVersion } from '../../src/protocol/version.ts';

const ORDER = createLayout('order', [{ name: 'name', type: 'text' }]);
const OLDER_ORDER = createLayout('order', [{ name: 'title', type: 'text' }]);
const CONTACT = createLayout('contact', [{ name: 'name', type: 'text' }]);
const VISIT = createLayout('visit', [{ name: 'name', type: 'text' }]);
const LAYOUTS = [ORDER, CONTACT, OLDER_ORDER, VISIT];

/** A group whose members are the images with these indices, at their own versions. */
function groupOf(images: readonly Image[], members: readonly number[], flags = 0): PlanGroup {
  return { flags, needs: members.map((index) => ({ image: index, version: images[index]!.version, held: NO_VERSION })) };
}

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

    test('A35: of a group merges all or nothing, while others go on', () => {
      const images = [image('a', 1), image('b', 1), image('c', 1)];
      const groups = [groupOf(images, [0, 1])];
      const input = { groups, groupOf: [0, 0, -1] };
      expect(plan(images, input)).toEqual(['merge', 'merge', 'merge']);
      const flagged = (flags: number) => ({ ...input, attention: [{ object: 'order', id: 'b', flags }] });
      expect(plan(images, flagged(ATTENTION.pending))).toEqual(['discard', 'discard', 'merge']);
      expect(plan(images, flagged(ATTENTION.inError))).toEqual(['discard', 'discard', 'merge']);
      expect(plan(images, flagged(ATTENTION.inUse))).toEqual(['wait', 'wait', 'merge']);
      expect(plan(images, flagged(ATTENTION.incomplete))).toEqual(['incomplete', 'incomplete', 'merge']);
    });

    test('A35: takes what is in the way of a member that the batch does not have from the group itself', () => {
      const images = [image('a', 1), image('b', 1)];
      for (const [flags, verdict] of [
        [ATTENTION.inUse, 'wait'],
        [ATTENTION.pending | ATTENTION.incomplete, 'discard'],
        [ATTENTION.incomplete | ATTENTION.inUse, 'incomplete'],
      ] as const) {
        expect(plan(images, { groups: [groupOf(images, [0], flags)], groupOf: [0, -1] })).toEqual([verdict, 'merge']);
      }
    });

    test('A35: a group is complete when each member arrives, or is held, at the version of its manifest or a newer one', () => {
      const images = [image('a', 5)];
      const withNeed = (imageIndex: number, version: RecordVersion, held: RecordVersion): unknown =>
        plan(images, { groups: [{ flags: 0, needs: [{ image: imageIndex, version, held }] }], groupOf: [0] });
      expect(withNeed(0, [1, 5], NO_VERSION)).toEqual(['merge']);
      expect(withNeed(0, [1, 4], NO_VERSION)).toEqual(['merge']);
      expect(withNeed(0, [1, 6], NO_VERSION)).toEqual(['incomplete']);
      expect(withNeed(0, [2, 1], NO_VERSION)).toEqual(['incomplete']);
      expect(withNeed(-1, [1, 5], NO_VERSION)).toEqual(['incomplete']);
      expect(withNeed(-1, [1, 5], [1, 4])).toEqual(['incomplete']);
      expect(withNeed(-1, [1, 5], [1, 5])).toEqual(['merge']);
      expect(withNeed(-1, [1, 2 ** 32 + 1], [1, 2 ** 32])).toEqual(['incomplete']);
      expect(withNeed(-1, [1, 2 ** 32 + 1], [1, 2 ** 32 + 1])).toEqual(['merge']);
      expect(withNeed(0, [1, 6], [1, 6])).toEqual(['merge']);
    });

    test('A35: a member in the way of two groups is in the way of both, with an older image too', () => {
      const images = [image('a', 1), image('b', 1), image('a', 2), image('c', 1)];
      const groups = [groupOf(images, [0, 1]), groupOf(images, [2, 3])];
      const input = { groups, groupOf: [0, 0, 1, 1], attention: [{ object: 'order', id: 'a', flags: ATTENTION.inUse }] };
      expect(plan(images, input)).toEqual(['superseded', 'wait', 'wait', 'wait']);
    });

    test('A35: a member that is not newer does not hold its group up, but what is in its way does', () => {
      const images = [image('a', 1), image('b', 2)];
      const input = { groups: [groupOf(images, [0, 1])], groupOf: [0, 0], baseVersions: [[1, 1], NO_VERSION] as const };
      expect(plan(images, input)).toEqual(['stale', 'merge']);
      expect(plan(images, { ...input, attention: [{ object: 'order', id: 'a', flags: ATTENTION.pending }] })).toEqual(['stale', 'discard']);
    });

    test('A35: keeps a record aside whose master is missing', () => {
      expect(plan([image('a', 1)], { attention: [{ object: 'order', id: 'a', flags: ATTENTION.incomplete }] })).toEqual(['incomplete']);
      expect(plan([image('a', 1)], { attention: [{ object: 'order', id: 'a', flags: ATTENTION.incomplete | ATTENTION.pending }] })).toEqual(['discard']);
    });

    test('takes groups of thousands', () => {
      const images = Array.from({ length: 3_000 }, (_, index) => image(`r-${index}`, 1));
      const groups = [0, 1, 2].map((group) => groupOf(images, images.flatMap((_, index) => (index % 3 === group ? [index] : []))));
      const input = { groups, groupOf: images.map((_, index) => index % 3), attention: [{ object: 'order', id: 'r-2998', flags: ATTENTION.inUse }] };
      expect(plan(images, input)).toEqual(images.map((_, index) => (index % 3 === 1 ? 'wait' : 'merge')));
    });

    test('refuses items that are not canonical', () => {
      expect(plan([], { items: Uint8Array.of(0xc1) })).toEqual({ ok: false, status: 'unexpected-type', offset: 0 });
    });

    test('is a fault with groups or images that there are not', () => {
      const invalid = expect.objectContaining({ code: 'CORE_INPUT_INVALID' }) as Error;
      const images = [image('a', 1)];
      const need = (index: number) => ({ image: index, version: NO_VERSION, held: NO_VERSION });
      for (const input of [
        { groups: [groupOf(images, [0])], groupOf: [] },
        { groups: [groupOf(images, [0])], groupOf: [1] },
        { groups: [groupOf(images, [0])], groupOf: [-2] },
        { groups: [groupOf(images, [0])], groupOf: [0.5] },
        { groupOf: [0] },
        { groups: [{ flags: 0, needs: [need(1)] }], groupOf: [0] },
        { groups: [{ flags: 0, needs: [need(-2)] }], groupOf: [0] },
      ]) {
        expect(() => plan(images, input)).toThrow(invalid);
      }
    });

    test('is a fault without a base version for each image', () => {
      expect(() => plan([image('a', 1)], { baseVersions: [] })).toThrow(expect.objectContaining({ code: 'CORE_INPUT_INVALID' }) as Error);
    });
  });
}
