/** What a suite needs of a test runner: `describe` and `test` of Vitest, Jest, Mocha (`it`) or `node:test` fit. */
export interface SuiteRunner {
  /** The runner's `describe`: opens a named group of tests. */
  readonly describe: (name: string, define: () => void) => unknown;
  /** The runner's `test`, or `it`: registers one test. */
  readonly test: SuiteTest;
}

/** A runner's function for one test, and its `skip`. */
export interface SuiteTest {
  /** Registers a test that fails when `run` rejects. */
  (name: string, run: () => Promise<void>): unknown;
  /** A test that cannot run here is skipped by name, so that the report shows what was not proven. */
  skip(name: string, run: () => Promise<void>): unknown;
}

/** Registers a test if the adapter under test brings what it needs, and a skipped one that says what is missing if not. */
export function testWith<Capability>(
  runner: SuiteRunner,
  name: string,
  [what, capability]: readonly [what: string, capability: Capability | undefined],
  run: (capability: Capability) => Promise<void>,
): void {
  if (capability !== undefined) runner.test(name, () => run(capability));
  else runner.test.skip(`${name} [not proven: the suite was given no ${what}]`, async () => {});
}
