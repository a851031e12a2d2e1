import { createTwinCore } from '../../src/core/twin.ts';
import { describeCore } from './core-table.ts';

describeCore('twin', createTwinCore);
