// The end of npm run bench: which rows of what must be reached hold, with which figure; with --write, the docs as well.
import { goalRows, readReports } from './summary-rows.ts';
import { writeDocs } from './write-docs.ts';

const [file = '', ...flags] = process.argv.slice(2);
const reports = readReports(file);
console.log('\nwhat must be reached, in this run');
console.table(goalRows(reports));
if (flags.includes('--write')) writeDocs(reports);
