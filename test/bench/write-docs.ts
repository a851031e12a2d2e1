import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { barChart } from './bar-chart.ts';
import { versionOfLibrary } from './library.ts';
import { ratioOf, type ComparisonReport, type Measured, type Report, type TableReport } from './report.ts';
import { formatFigure, goalRows } from './summary-rows.ts';

const PAGE = 'docs/BENCHMARKS.md';
const BEGIN = '<!-- results: written by npm run bench -- --write -->', END = '<!-- end of results -->';

/** Charts are drawn of these comparisons, where they were run. */
const CHARTS: Readonly<Record<string, string>> = { 'w3-10k-into-10k-lazy': 'docs/benchmarks-merge.svg', 'w1-10k': 'docs/benchmarks-diff.svg' };

/** Draws tables and charts of the docs anew from what benchmarks recorded. */
export function writeDocs(reports: readonly Report[]): void {
  const page = readFileSync(PAGE, 'utf8');
  const begin = page.indexOf(BEGIN), end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`${PAGE} has no place for results between ${BEGIN} and ${END}`);
  writeFileSync(PAGE, `${page.slice(0, begin + BEGIN.length)}\n\n${resultsOf(reports)}\n${page.slice(end)}`);
  for (const report of newest(reports)) {
    const file = report.kind === 'comparison' ? CHARTS[report.id] : undefined;
    if (report.kind === 'comparison' && file !== undefined) writeFileSync(file, chartOf(report));
  }
  console.log(`bench: ${PAGE} is written`);
}

function resultsOf(reports: readonly Report[]): string {
  const kept = newest(reports);
  const sections = kept.flatMap((report): string[] => {
    if (report.kind === 'comparison') return [comparisonSection(report)];
    return report.kind === 'table' ? [`### ${report.title}\n\n${tableOf(report)}`] : [];
  });
  const skipped = kept.flatMap((report) => (report.kind === 'skip' ? [`- ${report.what}: ${report.why}`] : []));
  return [
    `Node ${process.versions.node}, V8 ${process.versions.v8}, ${process.platform} ${process.arch}, ${cpus().length} cores; ${loadavg()[2]!.toFixed(0)} processes that wanted one, on the average of a quarter of an hour. ${librariesLine()}`,
    '### What must be reached',
    markdown(['what', 'must be', 'measured', 'holds'], goalRows(reports).map(({ what, must, figure, holds }) => [what, must, figure, holds])),
    ...sections,
    ...(skipped.length === 0 ? [] : ['### Not measured in this run', skipped.join('\n')]),
    '',
  ].join('\n\n');
}

/** Of several reports of one thing the last. */
function newest(reports: readonly Report[]): Report[] {
  const nameOf = (report: Report): string => (report.kind === 'skip' ? `skip ${report.what}` : `${report.kind} ${report.id}`);
  return [...new Map(reports.map((report) => [nameOf(report), report])).values()];
}

function comparisonSection(report: ComparisonReport): string {
  const { title, rounds, measured, skipped, baseline, items } = report;
  const columns = ['contender', 'ms', 'from a tenth to nine tenths', 'CPU ms', 'times as fast', 'by CPU', ...(items === undefined ? [] : ['µs an item'])];
  const rows = measured.map((one) => [
    one.name,
    formatFigure(one.wallMs.median),
    `${formatFigure(one.wallMs.low)} – ${formatFigure(one.wallMs.high)}`,
    formatFigure(one.cpuMs.median),
    one.name === baseline ? '1' : formatFigure(ratioOf(report, one.name)),
    one.name === baseline ? '1' : formatFigure(ratioOf(report, one.name, 'cpuMs')),
    ...(items === undefined ? [] : [formatFigure((one.cpuMs.median / (one.items ?? items)) * 1e3)]),
  ]);
  const chart = CHARTS[report.id];
  const notes = [...measured.flatMap(({ name, note }) => (note === undefined ? [] : [`${name}: ${note}`])), ...skipped.map(({ name, why }) => `${name} did not run: ${why}`)];
  return [
    `### ${title}`,
    ...(chart === undefined ? [] : [`![${title}: processor time an item](${chart.replace('docs/', '')})`]),
    markdown(columns, rows),
    `${rounds} rounds in turn, medians; ratios against “${baseline}”${items === undefined ? '' : '; µs an item by processor time'}.${notes.length === 0 ? '' : ` ${notes.join('. ')}.`}`,
  ].join('\n\n');
}

function chartOf(report: ComparisonReport): string {
  const perItem = (one: Measured): number => (one.cpuMs.median / (one.items ?? report.items ?? 1)) * 1e3;
  return barChart({
    title: report.title,
    unit: 'µs of processor time an item, logarithmic: shorter is better',
    bars: report.measured.map((one) => ({ name: one.name, value: perItem(one), isOurs: one.name.startsWith('fieldtide') })).toSorted((left, right) => left.value - right.value),
  });
}

function librariesLine(): string {
  const { dependencies } = JSON.parse(readFileSync('test/bench/package.json', 'utf8')) as { dependencies: Readonly<Record<string, string>> };
  const versions = Object.keys(dependencies).flatMap((name) => {
    const version = versionOfLibrary(name);
    return version === null ? [] : [`${name} ${version}`];
  });
  return versions.length === 0 ? 'No contenders from packages were installed.' : `Contenders: ${versions.join(', ')}.`;
}

function tableOf({ columns, rows }: TableReport): string {
  return markdown(columns, rows);
}

function markdown(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n');
}
