import type { FeedContender } from '../feed-contender.ts';
import { automerge } from './automerge.ts';
import { byHand, plainMaps, sharedStructures } from './by-hand.ts';
import { bytes } from './bytes.ts';
import { dexie } from './dexie.ts';
import { fieldtide } from './fieldtide.ts';
import { objects } from './objects.ts';
import { pouchdb } from './pouchdb.ts';
import { replicache } from './replicache.ts';
import { rxdb } from './rxdb.ts';
import { sqlite } from './sqlite.ts';
import { tinybase } from './tinybase.ts';
import { watermelon } from './watermelon.ts';
import { yjs } from './yjs.ts';

/** Who merges feed batches; the first is whom the others are compared with. */
export const CONTENDERS: readonly FeedContender[] = [
  byHand('by hand, shared structures', sharedStructures),
  byHand('by hand, plain maps', plainMaps),
  objects,
  bytes,
  fieldtide('simd'),
  fieldtide('scalar'),
  fieldtide('twin'),
  fieldtide('simd', { withStorage: true }),
  sqlite,
  tinybase,
  yjs,
  automerge,
  replicache,
  rxdb,
  pouchdb,
  watermelon,
  dexie,
];
