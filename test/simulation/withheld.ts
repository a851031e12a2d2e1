import type { Core } from '../../src/core/core.ts';
import { decodeEnvelope, encodeEnvelope } from '../../src/protocol/envelope.ts';
import { encodeImages } from '../../src/protocol/items.ts';
import { parseFeedAnswer } from '../../src/protocol/parse.ts';
import { parseLayouts } from '../../src/protocol/wire-layout.ts';
import type { SeededRandom } from '../../src/testing/simulation/seeded-random.ts';

/** A page of the feed in which a member of a group is named, and does not come. */
export interface WithheldPage {
  readonly body: Uint8Array;
  /** The record that was left out. */
  readonly key: string;
}

/** Takes a member of a group out of a page, as a server that is broken or older might; `null` where there is none to take. */
export function withholdMember(core: Core, random: SeededRandom, body: Uint8Array): WithheldPage | null {
  const page = parseFeedAnswer(decodeEnvelope(body));
  const layouts = parseLayouts(page.layouts);
  const table = core.readImages(page.items, layouts);
  const members = table.ok ? page.groups.filter((group) => group.members.length > 1).flatMap((group) => group.members).filter((index) => table.state(index) === 'live') : [];
  if (!table.ok || page.part !== null || members.length === 0) return null;
  const left = random.pick(members);
  const [object, id, [epoch, n]] = [layouts[table.layout(left)]!.object, table.id(left), table.version(left)];
  const without = (indices: readonly number[]): number[] => indices.filter((index) => index !== left).map((index) => (index > left ? index - 1 : index));
  const images = Array.from({ length: table.count }, (_, index) => ({ layout: table.layout(index), id: table.id(index), version: table.version(index), state: table.state(index), row: table.row(index) }));
  return {
    key: `${object}/${id}`,
    body: encodeEnvelope({
      ...page,
      items: encodeImages(images.filter((_, index) => index !== left)),
      transactions: page.transactions.map((transaction) => ({ ...transaction, items: without(transaction.items) })),
      outside: without(page.outside),
      groups: page.groups.map((group) => ({ ...group, members: without(group.members), others: group.members.includes(left) ? [...group.others, { object, id, epoch, n }] : group.others })),
    }),
  };
}
