import { beforeAll, describe, expect } from 'vitest';
import type { Core, CoreBuild } from '../../src/core/core.ts';
import { DEVICE_EDITION } from '../../src/core/device-session.ts';
import { loadCore } from '../../src/core/load-core.ts';
import { WHOLE_EDITION } from '../../src/core/wasm-session.ts';
import { createTwinCore } from '../../src/core/twin.ts';
import type { CoreDiagnostic } from '../../src/core/wasm-core.ts';
import { createSeededRandom } from '../support/seeded-random.ts';
import { describeEdits } from './describe-edits.ts';
import { describeItems } from './describe-items.ts';
import { describeMessages } from './describe-messages.ts';
import { describePlans } from './describe-plans.ts';
import { describeProperties } from './describe-properties.ts';
import { describeValues } from './describe-values.ts';

/** The builds under test, and where the bytes of those that are not inlined come from. `device` is what the worker carries. */
export type BuildsUnderTest = Readonly<Partial<Record<CoreBuild | 'device', () => Promise<BufferSource | undefined>>>>;

/** What every build of the core must do: one table, run over the twin and each Wasm build, in Node and in browsers. */
export function describeCores(builds: BuildsUnderTest): void {
  describe.each(Object.entries(builds))('core %s', (build, readBytes) => {
    let core: Core;
    beforeAll(async () => {
      core = build === 'device' ? await loadDevice() : await load(build as CoreBuild, await readBytes());
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

const onDiagnostic = ({ kind, cause }: CoreDiagnostic): void => expect.unreachable(`${kind}: ${String(cause)}`);

/** The inlined edition, and the twin for the calls that it leaves to servers. */
async function loadDevice(): Promise<Core> {
  const device = await loadCore(DEVICE_EDITION, { random: createSeededRandom(1), onDiagnostic });
  expect(Object.keys(device).toSorted()).toEqual(['build', ...DEVICE_EDITION.calls].toSorted());
  expect(device.build).toBe('scalar');
  return { ...createTwinCore(), ...device };
}

async function load(build: CoreBuild, bytes: BufferSource | undefined): Promise<Core> {
  const options = { build, random: createSeededRandom(1), onDiagnostic };
  const core = await loadCore(WHOLE_EDITION, bytes === undefined ? options : { ...options, bytes });
  expect(core.build).toBe(build);
  return core;
}
