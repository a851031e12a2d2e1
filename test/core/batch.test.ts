import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect } from 'vitest';
import type { BatchCore } from '../../src/core/batch.ts';
import { BATCH_EDITION } from '../../src/core/batch-session.ts';
import type { CoreBuild } from '../../src/core/core.ts';
import { loadCore } from '../../src/core/load-core.ts';
import { createSeededRandom } from '../support/seeded-random.ts';
import { describeBatches } from './describe-batches.ts';

const FILES = { twin: null, scalar: 'core.batch.wasm', simd: 'core.batch.simd.wasm', debug: 'core.batch.debug.wasm' } as const;

describe.each(Object.entries(FILES))('batch core %s', (name, file) => {
  const build = name as CoreBuild;
  let core: BatchCore;

  beforeAll(async () => {
    const bytes = file === null ? {} : { bytes: await readFile(`build/${file}`) };
    core = await loadCore(BATCH_EDITION, { build, ...bytes, random: createSeededRandom(1), onDiagnostic: ({ kind, cause }) => expect.unreachable(`${kind}: ${String(cause)}`) });
    expect(core.build).toBe(build);
  });

  describeBatches(() => core);
});
