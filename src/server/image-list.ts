import { encodeImages, type Image } from '../protocol/items.ts';
import type { Layout } from '../protocol/layout.ts';
import type { WireLayout } from '../protocol/messages.ts';
import { wireLayout } from '../protocol/wire-layout.ts';
import type { ReaderImage } from './visibility.ts';

/** Collects the images of an answer, and the layouts that they need. */
export interface ImageList {
  /** Adds an image, and returns its index. */
  add(image: ReaderImage): number;
  /** How many bytes the rows added so far have. */
  byteLength(): number;
  /** The parts of an answer that hold them. */
  take(): { readonly layouts: readonly WireLayout[]; readonly items: Uint8Array };
}

export function createImageList(): ImageList {
  const layouts = new Map<string, { readonly index: number; readonly layout: Layout }>();
  const images: Image[] = [];
  let byteLength = 0;
  return {
    add({ id, version, state, layout, row }) {
      const known = layouts.get(layout.hash) ?? { index: layouts.size, layout };
      layouts.set(layout.hash, known);
      images.push({ layout: known.index, id, version, state, row });
      byteLength += row?.length ?? 0;
      return images.length - 1;
    },
    byteLength: () => byteLength,
    take: () => ({ layouts: [...layouts.values()].map(({ layout }) => wireLayout(layout)), items: encodeImages(images) }),
  };
}
