/**
 * Makes an object whose methods hand each call on to a target, by name: for a boundary that adds to all of them the same way across.
 *
 * @param names - the methods.
 * @param run - finds the target and makes the call on it; what it returns is what the method returns.
 */
export function forwardCalls<Target, const Name extends keyof Target>(
  names: readonly Name[],
  run: (call: (target: Target) => unknown) => unknown,
): Pick<Target, Name> {
  const forward = (name: Name) => (...args: readonly unknown[]) => run((target) => (target as Methods<Name>)[name](...args));
  return Object.fromEntries(names.map((name) => [name, forward(name)])) as Pick<Target, Name>;
}

type Methods<Name extends PropertyKey> = Record<Name, (...args: readonly unknown[]) => unknown>;
