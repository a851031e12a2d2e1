import { runJobs } from '../workers.ts';
import type { ModelCounts } from './model-counts.ts';
import { MODEL_VARIANTS, type Column, type ModelVariant } from './model-variants.ts';
import { runModel, type ModelResult } from './run-model.ts';

/** One run of one rule set. */
export interface ModelJob {
  readonly model: number;
  readonly seed: number;
}

export interface ModelJobResult extends ModelJob {
  readonly result: ModelResult;
}

/** The sums of one rule set. */
interface Row extends ModelCounts {
  readonly variant: ModelVariant;
  runs: number;
  diverged: number;
  /** The first runs in which the sound columns were not 0. */
  readonly badSeeds: number[];
}

/** Runs after which even a rare mistake must have shown. */
const RARE_NEEDS = 1_000;

const COLUMNS: readonly Column[] = ['diverged', 'conflicts', 'selfConflicts', 'silentOverwrites', 'duplicateCreates'];
const TITLES: Readonly<Record<Column, string>> = { diverged: 'runs diverged', conflicts: 'conflicts', selfConflicts: 'self-conflicts', silentOverwrites: 'silent overwrites', duplicateCreates: 'duplicate creates' };

export async function runModelJob({ model, seed }: ModelJob): Promise<ModelJobResult> {
  return { model, seed, result: await runModel({ seed, ...MODEL_VARIANTS[model]!.options }) };
}

/** Runs the table: the whole number of seeds for the product's own rules, fewer for the others. Says how many rows are as they should be. */
export async function printModelTable({ seeds, otherSeeds, first, workers }: { readonly seeds: number; readonly otherSeeds: number; readonly first: number; readonly workers?: number }): Promise<{ readonly passed: number; readonly failed: number }> {
  const rows = MODEL_VARIANTS.map((variant): Row => ({ variant, runs: 0, edits: 0, diverged: 0, conflicts: 0, selfConflicts: 0, silentOverwrites: 0, duplicateCreates: 0, badSeeds: [] }));
  const runsOf = (index: number): number => (index < 2 || MODEL_VARIANTS[index]!.isRare === true ? seeds : Math.min(seeds, otherSeeds));
  let model = 0, handed = 0;
  const next = (): ModelJob | null => {
    while (model < rows.length && handed >= runsOf(model)) [model, handed] = [model + 1, 0];
    return model < rows.length ? { model, seed: first + handed++ } : null;
  };
  await runJobs<ModelJob, ModelJobResult>(next, ({ model: at, seed, result }) => add(rows[at]!, seed, result), workers);
  console.log(['rule set', 'runs', 'edits', ...COLUMNS.map((column) => TITLES[column])].join(' | '));
  for (const row of rows) console.log([row.variant.name, row.runs, row.edits, ...COLUMNS.map((column) => row[column])].join(' | '));
  const wrong = rows.filter((row) => !isAsExpected(row));
  for (const { variant, badSeeds } of wrong) console.log(variant.shows === null ? `"${variant.name}" must keep everything: look at seeds ${badSeeds.join(', ')}` : `"${variant.name}" must show as ${TITLES[variant.shows]}`);
  return { passed: rows.length - wrong.length, failed: wrong.length };
}

function add(row: Row, seed: number, { isDiverged, ...counts }: ModelResult): void {
  row.runs++;
  if (isDiverged) row.diverged++;
  for (const [column, count] of Object.entries(counts) as [keyof ModelCounts, number][]) row[column] += count;
  if ((isDiverged || counts.selfConflicts + counts.silentOverwrites + counts.duplicateCreates > 0) && row.badSeeds.length < 5) row.badSeeds.push(seed);
}

function isAsExpected(row: Row): boolean {
  if (row.variant.shows === null) return row.badSeeds.length === 0;
  return row[row.variant.shows] > 0 || (row.variant.isRare === true && row.runs < RARE_NEEDS);
}
