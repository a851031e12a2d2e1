import type { FeedContender } from '../feed-contender.ts';
import { byHand, plainMaps, sharedStructures } from './by-hand.ts';
import { fieldtide } from './fieldtide.ts';
import { objects } from './objects.ts';

/** Who merges feed batches; the first is whom the others are compared with. */
export const CONTENDERS: readonly FeedContender[] = [
  byHand('by hand, shared structures', sharedStructures),
  byHand('by hand, plain maps', plainMaps),
  objects,
  fieldtide('simd'),
  fieldtide('scalar'),
  fieldtide('twin'),
  fieldtide('simd', { withStorage: true }),
];
