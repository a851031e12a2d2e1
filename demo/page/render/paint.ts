import { patch } from './patch.ts';
import type { View } from './view.ts';

/** Paints a part of the page again, at most once for all changes of one turn. */
export function createPainter(root: Element, draw: () => readonly View[]): () => void {
  let isDue = false;
  const paint = (): void => {
    isDue = false;
    patch(root, draw());
  };
  paint();
  return () => {
    if (isDue) return;
    isDue = true;
    queueMicrotask(paint);
  };
}
