import { appendFileSync } from 'node:fs';
import { MUST_REACH, type GoalId } from './must-reach.ts';
import { options } from './options.ts';
import { spreadOf, type Sample, type Spread } from './samples.ts';

/** What one contender took. */
export interface Measured {
  readonly name: string;
  readonly wallMs: Spread;
  readonly cpuMs: Spread;
  /** Items in one call, where it is not that of the whole comparison. */
  readonly items?: number;
  /** What a reader must know of it: what it does not do, or does besides. */
  readonly note?: string;
}

/** One comparison, as it is printed and written to the docs. */
export interface ComparisonReport {
  readonly kind: 'comparison';
  /** Names it in the docs: letters, digits and hyphens. */
  readonly id: string;
  readonly title: string;
  readonly rounds: number;
  /** Items in one call. */
  readonly items?: number;
  /** Bytes read in one call. */
  readonly byteLength?: number;
  /** Whom the ratios are against. */
  readonly baseline: string;
  readonly measured: readonly Measured[];
  /** Contenders that did not run, and why. */
  readonly skipped: readonly { readonly name: string; readonly why: string }[];
}

/** A figure of a row of {@link MUST_REACH}. */
export interface GoalReport {
  readonly kind: 'goal';
  readonly id: GoalId;
  readonly figure: number;
  /** What exactly was measured, where the row does not say it. */
  readonly note?: string;
}

/** A table that is no comparison of contenders: sizes, memory. */
export interface TableReport {
  readonly kind: 'table';
  readonly id: string;
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Why something was not measured here. */
export interface SkipReport {
  readonly kind: 'skip';
  readonly what: string;
  readonly why: string;
}

export type Report = ComparisonReport | GoalReport | TableReport | SkipReport;

/** Sums up the samples of a contender. */
export function measuredOf(name: string, samples: readonly Sample[], more: Pick<Measured, 'items' | 'note'> = {}): Measured {
  return { name, wallMs: spreadOf(samples.map(({ wallMs }) => wallMs)), cpuMs: spreadOf(samples.map(({ cpuMs }) => cpuMs)), ...more };
}

/** Prints a comparison and records it. */
export function reportComparison(report: Omit<ComparisonReport, 'kind'>): ComparisonReport {
  const whole: ComparisonReport = { kind: 'comparison', ...report };
  console.log(`\n${report.title} (${report.rounds} rounds, median)`);
  console.table(report.measured.map((one) => rowOf(whole, one)));
  for (const { name, note } of report.measured) if (note !== undefined) console.log(`  ${name}: ${note}`);
  for (const { name, why } of report.skipped) console.log(`  not run: ${name}: ${why}`);
  record(whole);
  return whole;
}

/** Prints what a row of {@link MUST_REACH} came to, and records it: the run ends with a table of them. */
export function reportGoal(id: GoalId, figure: number, note?: string): void {
  console.log(`goal ${id}: ${figure.toFixed(2)} (${MUST_REACH[id].what}: ${MUST_REACH[id].isAtMost ? 'at most' : 'at least'} ${MUST_REACH[id].limit})`);
  record({ kind: 'goal', id, figure, ...(note === undefined ? {} : { note }) });
}

/** Prints a table and records it. */
export function reportTable(report: Omit<TableReport, 'kind'>): void {
  console.log(`\n${report.title}`);
  console.table(report.rows.map((row) => Object.fromEntries(row.map((cell, place) => [report.columns[place] ?? place, cell]))));
  record({ kind: 'table', ...report });
}

/** Says why something was not measured here, and records it. */
export function reportSkip(what: string, why: string): void {
  console.log(`skipped: ${what}: ${why}`);
  record({ kind: 'skip', what, why });
}

/** How many times less time a contender takes for an item than another one, the baseline unless it is named: by medians. */
export function ratioOf(report: Pick<ComparisonReport, 'baseline' | 'measured' | 'items'>, name: string, of: 'wallMs' | 'cpuMs' = 'wallMs', other: string = report.baseline): number {
  return timePerItem(report, other, of) / timePerItem(report, name, of);
}

/** The ratio that a goal is held against: the less favourable one of wall-clock and processor time. */
export function carefulRatioOf(report: Pick<ComparisonReport, 'baseline' | 'measured' | 'items'>, name: string, other: string = report.baseline): number {
  return Math.min(ratioOf(report, name, 'wallMs', other), ratioOf(report, name, 'cpuMs', other));
}

function timePerItem({ measured, items = 1 }: Pick<ComparisonReport, 'measured' | 'items'>, name: string, of: 'wallMs' | 'cpuMs'): number {
  const one = measured.find((candidate) => candidate.name === name);
  return one === undefined ? Number.NaN : one[of].median / (one.items ?? items);
}

function rowOf(report: ComparisonReport, { name, wallMs, cpuMs, items = report.items }: Measured): Record<string, string> {
  return {
    'contender': name,
    'ms': wallMs.median.toFixed(3),
    '10 % to 90 %': `${wallMs.low.toFixed(3)} to ${wallMs.high.toFixed(3)}`,
    'CPU ms': cpuMs.median.toFixed(1),
    'ratio': name === report.baseline ? '1' : `${ratioOf(report, name).toFixed(2)} x`,
    'CPU ratio': name === report.baseline ? '1' : `${ratioOf(report, name, 'cpuMs').toFixed(2)} x`,
    ...(items === undefined ? {} : { 'µs an item': ((wallMs.median / items) * 1e3).toFixed(3) }),
    ...(report.byteLength === undefined || items !== report.items ? {} : { 'GB/s': (report.byteLength / wallMs.median / 1e6).toFixed(2) }),
  };
}

function record(report: Report): void {
  if (options.record !== null) appendFileSync(options.record, `${JSON.stringify(report)}\n`);
}
