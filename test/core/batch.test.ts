import { describe } from 'vitest';
import { createTwinBatchCore } from '../../src/core/twin-batch.ts';
import { describeBatches } from './describe-batches.ts';

describe('batch core twin', () => {
  describeBatches(createTwinBatchCore);
});
