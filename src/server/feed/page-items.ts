import type { FeedAnswer, WireGroup } from '../../protocol/messages.ts';
import { createImageList } from '../image-list.ts';
import type { Principal } from '../principal.ts';
import type { ServerParts } from '../server-parts.ts';
import { keyText, type RecordKey, type StoreView } from '../store/server-store.ts';
import type { Glimpse, Surroundings } from './surroundings.ts';

/** Records as an answer carries them: images, layouts, and the groups that they are in. */
export interface PageItems extends Pick<FeedAnswer, 'layouts' | 'items' | 'groups'> {
  /** Where a record is among the items; nothing when it is not. */
  indexOf(key: RecordKey): readonly number[];
}

/** Reads the images of what was chosen for an answer, in its order, and lists their groups (rule A35). */
export async function readItems(parts: ServerParts, view: StoreView, reader: Principal, around: Surroundings, chosen: readonly Glimpse[]): Promise<PageItems> {
  const found = new Map((await parts.visibility.images(view, reader, chosen.filter(({ state }) => state === 'live'))).map((image) => [keyText(image), image]));
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
  return { ...images.take(), groups: listGroups(around, chosen), indexOf };
}

/** The groups of an answer's items. What was deleted is listed as well, so that it goes when the rest of its group comes. */
function listGroups(around: Surroundings, chosen: readonly Glimpse[]): WireGroup[] {
  const groups = new Map<string, { readonly leader: RecordKey; readonly members: number[] }>();
  for (const [index, glimpse] of chosen.entries()) {
    const leader = around.leaderOf(glimpse);
    if (leader === null) continue;
    const group = groups.get(keyText(leader)) ?? { leader, members: [] };
    groups.set(keyText(leader), group);
    group.members.push(index);
  }
  return [...groups.values()].map(({ leader: { object, id }, members }) => ({ object, id, members, others: [] }));
}
