import type { Parts } from '../../client/parts.ts';
import { createTwinBatchCore } from '../../core/twin.ts';
import * as bulk from '../../client/network/bulk.ts';
import * as byHand from '../../client/inbox/by-hand.ts';
import * as conversation from '../../client/network/conversation.ts';
import * as drafts from '../../client/drafts/drafts.ts';
import * as handles from '../../client/handles/handle-desk.ts';
import * as rareResults from '../../client/answers/rare-results.ts';
import * as snapshotDownload from '../../client/network/snapshot-download.ts';
import * as upkeep from '../../client/store/upkeep.ts';

/** Every part, there from the beginning: loading a file takes real time, and in virtual time nobody would wait for it. */
export const EAGER_PARTS: Parts = {
  bulk: async () => ({ ...bulk, loadBatchCore: async () => createTwinBatchCore() }),
  byHand: async () => byHand,
  conversation: async () => conversation,
  drafts: async () => drafts,
  handles: async () => handles,
  rareResults: async () => rareResults,
  snapshotDownload: async () => snapshotDownload,
  upkeep: async () => upkeep,
};
