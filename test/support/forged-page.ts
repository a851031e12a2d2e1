import { createTwinCore } from '../../src/core/twin.ts';
import { decodeEnvelope, encodeEnvelope } from '../../src/protocol/envelope.ts';
import { encodeImages, type Image } from '../../src/protocol/items.ts';
import type { FeedAnswer, WireHeader } from '../../src/protocol/messages.ts';
import { parseLayouts } from '../../src/protocol/wire-layout.ts';
import type { Intercept } from './world.ts';

/** Lets the server answer polls, and changes the pages. */
export function forgePage(forge: (page: FeedAnswer) => object): Intercept {
  return async (request, send) => {
    const response = await send(request);
    if (!request.path.startsWith('feed') || response.status !== 200) return response;
    return { ...response, body: encodeEnvelope(forge(readPage(response.body))) };
  };
}

/** A page as it came. */
export function readPage(body: Uint8Array): FeedAnswer {
  return decodeEnvelope(body) as FeedAnswer;
}

/** A page without some of its records: its groups name them as what the device must hold. */
export function holdBack(page: FeedAnswer, isHeldBack: (id: string) => boolean): FeedAnswer {
  const layouts = parseLayouts(page.layouts);
  const images = imagesOf(page);
  const left = images.flatMap((image, index) => (isHeldBack(image.id) ? [] : [index]));
  const places = new Map(left.map((index, place) => [index, place]));
  const placesOf = (indices: readonly number[]): number[] => indices.flatMap((index) => places.get(index) ?? []);
  const nameOf = ({ layout, id, version: [epoch, n] }: Image): WireHeader => ({ object: layouts[layout]!.object, id, epoch, n });
  return {
    ...page,
    items: encodeImages(left.map((index) => images[index]!)),
    transactions: page.transactions.map((transaction) => ({ ...transaction, items: placesOf(transaction.items) })),
    outside: placesOf(page.outside),
    groups: page.groups.map((group) => ({ ...group, members: placesOf(group.members), others: group.members.flatMap((index) => (places.has(index) ? [] : [nameOf(images[index]!)])) })),
  };
}

/** The images of a page. */
export function imagesOf({ layouts, items }: Pick<FeedAnswer, 'layouts' | 'items'>): Image[] {
  const table = createTwinCore().readImages(Uint8Array.from(items), parseLayouts(layouts));
  if (!table.ok) throw new Error(`the page cannot be read: ${table.status}`);
  return Array.from({ length: table.count }, (_, index) => ({ layout: table.layout(index), id: table.id(index), version: table.version(index), state: table.state(index), row: table.row(index) }));
}
