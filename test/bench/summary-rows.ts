import { readFileSync } from 'node:fs';
import { isReached, MUST_REACH, type Goal, type GoalId } from './must-reach.ts';
import type { GoalReport, Report } from './report.ts';

/** Reads what benchmarks recorded, one JSON line each. */
export function readReports(file: string): Report[] {
  return readFileSync(file, 'utf8').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Report);
}

/** What is said of a row of what must be reached. */
export interface GoalRow {
  readonly what: string;
  readonly must: string;
  readonly figure: string;
  readonly holds: string;
}

/** What is said of each row, in the order of the table. */
export function goalRows(reports: readonly Report[]): GoalRow[] {
  return (Object.entries(MUST_REACH) as [GoalId, Goal][]).map(([id, goal]) => {
    const found = reports.findLast((report): report is GoalReport => report.kind === 'goal' && report.id === id);
    const must = `${goal.isAtMost ? 'at most' : 'at least'} ${goal.limit} ${goal.unit}`;
    if (found === undefined) return { what: goal.what, must, figure: 'not measured', holds: '–' };
    return { what: goal.what, must, figure: `${formatFigure(found.figure)} ${goal.unit}${found.note === undefined ? '' : ` (${found.note})`}`, holds: isReached(goal, found.figure) ? 'yes' : 'no' };
  });
}

/** Three digits that count. */
export function formatFigure(figure: number): string {
  return figure >= 100 ? figure.toFixed(0) : figure.toPrecision(3);
}
