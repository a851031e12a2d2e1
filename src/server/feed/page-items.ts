import type { FeedAnswer, WireGroup } from '../../protocol/messages.ts';
import { compareVersions } from '../../protocol/version.ts';
import { createImageList } from '../image-list.ts';
import type { Principal } from '../principal.ts';
import type { ServerParts } from '../server-parts.ts';
import { keyText, type RecordKey, type StoreView } from '../store/server-store.ts';
import type { ScopedImage } from '../visibility.ts';
import type { Glimpse } from './surroundings.ts';

/** Records as an answer carries them: images, layouts, and the groups that they are in. */
export interface PageItems extends Pick<FeedAnswer, 'layouts' | 'items' | 'groups' | 'outside'> {
  /** Where a record is among the items; nothing when it is not. */
  indexOf(key: RecordKey): readonly number[];
}

/** Reads the images of what was chosen for an answer: of live records, the others have none. */
export async function readImages({ visibility }: ServerParts, view: StoreView, reader: Principal, chosen: readonly Glimpse[]): Promise<ChosenImages> {
  const images = await visibility.scopedImages(view, reader, chosen.filter(({ state }) => state === 'live'));
  return new Map(images.map((image) => [keyText(image), image]));
}

export type ChosenImages = ReadonlyMap<string, ScopedImage>;

/** Says whether records are as they were when they were chosen, for this reader. */
export function areAsChosen(images: ChosenImages, chosen: readonly Glimpse[]): boolean {
  return chosen.every((glimpse) => {
    const image = images.get(keyText(glimpse));
    return glimpse.state !== 'live' || (image?.state === 'live' && compareVersions(image.version, glimpse.version) === 0);
  });
}

/** Lists what was chosen for an answer, in its order, with the groups (rule A35). */
export function listItems(parts: ServerParts, reader: Principal, leaderOf: LeaderOf, chosen: readonly Glimpse[], found: ChosenImages): PageItems {
  const images = createImageList();
  const indices = new Map<string, number>();
  for (const glimpse of chosen) {
    const { object, id, version, state } = glimpse;
    const { layout } = parts.visibility.fieldsOf(reader, parts.schema.objects.get(object)!);
    indices.set(keyText(glimpse), images.add(found.get(keyText(glimpse)) ?? { object, id, version, state, layout, row: null }));
  }
  const indexOf = (key: RecordKey): readonly number[] => {
    const index = indices.get(keyText(key));
    return index === undefined ? [] : [index];
  };
  const outside = chosen.flatMap((glimpse, index) => (found.get(keyText(glimpse))?.isOutside === true ? [index] : []));
  return { ...images.take(), groups: listGroups(leaderOf, chosen), outside, indexOf };
}

type LeaderOf = (glimpse: Glimpse) => RecordKey | null;

/** The groups of an answer's items. What was deleted is listed as well, so that it goes when the rest of its group comes. */
function listGroups(leaderOf: LeaderOf, chosen: readonly Glimpse[]): WireGroup[] {
  const groups = new Map<string, { readonly leader: RecordKey; readonly members: number[] }>();
  for (const [index, glimpse] of chosen.entries()) {
    const leader = leaderOf(glimpse);
    if (leader === null) continue;
    const group = groups.get(keyText(leader)) ?? { leader, members: [] };
    groups.set(keyText(leader), group);
    group.members.push(index);
  }
  return [...groups.values()].map(({ leader: { object, id }, members }) => ({ object, id, members, others: [] }));
}
