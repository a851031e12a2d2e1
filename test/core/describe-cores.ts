import { beforeAll, describe, expect } from 'vitest';
import type { Core, CoreBuild } from '../../src/core/core.ts';
import { loadCore } from '../../src/core/load-core.ts';
import type { CoreDiagnostic } from '../../src/core/wasm-core.ts';
import { createSeededRandom } from '../support/seeded-random.ts';
import { describeEdits } from './describe-edits.ts';
import { describeItems } from './describe-items.ts';
import { describeMessages } from './describe-messages.ts';
import { describePlans } from './describe-plans.ts';
import { describeProperties } from './describe-properties.ts';
import { describeValues } from './describe-values.ts';

/** The builds under test, and where the bytes of those that are not inlined come from. */
export type BuildsUnderTest = Readonly<Partial<Record<CoreBuild, () => Promise<BufferSource | undefined>>>>;

/** What every build of the core must do: one table, run over the twin and each Wasm build, in Node and in browsers. */
export function describeCores(builds: BuildsUnderTest): void {
  describe.each(Object.entries(builds))('core %s', (build, readBytes) => {
    let core: Core;
    beforeAll(async () => {
      core = await load(build as CoreBuild, await readBytes());
    });
    const getCore = (): Core => core;

    describeValues(getCore);
    describeMessages(getCore);
    describeItems(getCore);
    describeEdits(getCore);
    describePlans(getCore);
    describeProperties(getCore);
  });
}

async function load(build: CoreBuild, bytes: BufferSource | undefined): Promise<Core> {
  const onDiagnostic = ({ kind, cause }: CoreDiagnostic): void => expect.unreachable(`${kind}: ${String(cause)}`);
  const options = { build, random: createSeededRandom(1), onDiagnostic };
  const core = await loadCore(bytes === undefined ? options : { ...options, bytes });
  expect(core.build).toBe(build);
  return core;
}
