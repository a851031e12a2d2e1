import { isInMask, joinRow, maskPositions, splitRow } from '../../../src/protocol/row.ts';
import type { ClientRules } from '../../../src/client/rules.ts';
import type { ModelCounts } from './model-counts.ts';
import type { ModelOptions } from './run-model.ts';

/** A column of the model's table. */
export type Column = 'diverged' | Exclude<keyof ModelCounts, 'edits'>;

/** A rule set of the model: the product's, or one with a rule left out. */
export interface ModelVariant {
  readonly name: string;
  readonly options: Omit<ModelOptions, 'seed'>;
  /** The column in which leaving the rule out must show; `null` where nothing may show: the rule set is sound. */
  readonly shows: Column | null;
  /** It shows in about one run of a hundred: it is run as often as the sound ones, and few runs prove nothing. */
  readonly isRare?: boolean;
}

/** Rule B13, broken: puts back what the change found. */
const undoToPrevious: ClientRules['undoneTo'] = (base, _side, { members: [member] }) => {
  if (!base?.row || !member?.previous || member.layout.hash !== base.layout.hash) return base;
  const previous = splitRow(member.previous), slots = maskPositions(member.mask!);
  return { ...base, row: joinRow(splitRow(base.row).map((value, position) => (isInMask(member.mask!, position) ? previous[slots.indexOf(position)]! : value))) };
};

const currentIsOld = { currentOnRepeat: <Image>(then: readonly Image[]): readonly Image[] => then };
const worded = { keepsAside: () => false, isNewer: () => true } satisfies Partial<ClientRules>;

/** The rows of the table, the sound ones first. */
export const MODEL_VARIANTS: readonly ModelVariant[] = [
  { name: 'all rules', options: {}, shows: null },
  { name: 'all rules, with groups, deletes and submits', options: { isExtended: true }, shows: null },
  { name: 'without coalescing', options: { isNeverCoalesced: true }, shows: null },
  { name: 'without side image, a repeat also shows what is current', options: { client: { keepsAside: () => false } }, shows: 'diverged' },
  { name: 'origin left out of the feed', options: { isOriginLeftOut: true }, shows: null },
  { name: 'rebase onto the current image of a repeated answer', options: { client: { rebaseOnto: (_committed, current) => current } }, shows: 'silentOverwrites', isRare: true },
  { name: 'without rebase', options: { client: { isRebased: () => false } }, shows: 'selfConflicts' },
  { name: 'without rebase and without coalescing', options: { client: { isRebased: () => false }, isNeverCoalesced: true }, shows: 'selfConflicts' },
  // What is older than an answer is let go of at the answer, so nothing of it shows here any more; the planted bug no-version-compare does.
  { name: 'without comparing versions', options: { client: { isNewer: () => true } }, shows: null },
  { name: 'without side image, a repeat shows old images only', options: { client: { keepsAside: () => false }, server: currentIsOld }, shows: 'diverged' },
  { name: 'images thrown away and versions not compared', options: { client: worded, server: currentIsOld }, shows: 'diverged' },
  { name: 'the same, no answer lost', options: { client: worded, server: currentIsOld, lostAnswers: 0 }, shows: 'diverged' },
  { name: 'without receipts', options: { server: { recall: () => null } }, shows: 'selfConflicts' },
  { name: 'without comparison', options: { server: { compares: () => false } }, shows: 'silentOverwrites' },
  { name: 'undo puts back the previous values', options: { client: { undoneTo: undoToPrevious } }, shows: 'diverged' },
];
