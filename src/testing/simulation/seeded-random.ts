import { hashBytes, utf8 } from '../../shared/bytes.ts';
import type { Random } from '../../shared/random.ts';

/** Randomness that a seed decides: the same seed gives the same numbers, on every platform. */
export interface SeededRandom extends Random {
  /** True with the given probability. */
  chance(probability: number): boolean;
  /** A whole number from `least` to `most`, both included. */
  integer(least: number, most: number): number;
  /** One of the items. */
  pick<T>(items: readonly T[]): T;
  /** One of the names, each as often as its weight says. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name;
  /** A wait with the given mean: mostly short, now and then long. */
  exponential(mean: number): number;
  /** An independent source. What is drawn from one never shifts what another gives, so a change in one place keeps the rest of a run. */
  fork(label: string): SeededRandom;
}

/** Makes a {@link SeededRandom}. */
export function createSeededRandom(seed: number | string): SeededRandom {
  return new Sfc32(String(seed));
}

/** "Small fast counting" generator, 32 bits: passes PractRand, and is exact in JavaScript's integers. */
class Sfc32 implements SeededRandom {
  readonly #name: string;
  #a: number;
  #b: number;
  #c: number;
  #count = 1;

  constructor(name: string) {
    this.#name = name;
    const hash = hashBytes(utf8(name));
    this.#a = Number.parseInt(hash.slice(0, 8), 16) | 0;
    this.#b = Number.parseInt(hash.slice(8, 16), 16) | 0;
    this.#c = name.length | 0;
    // The first numbers still look like the seed.
    for (let round = 0; round < 12; round++) this.#word();
  }

  #word(): number {
    const word = (((this.#a + this.#b) | 0) + this.#count) | 0;
    this.#count = (this.#count + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + word) | 0;
    return word >>> 0;
  }

  next(): number {
    return this.#word() / 0x1_0000_0000;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.#word() >>> 24);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  integer(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError('there is nothing to pick from');
    return items[this.integer(0, items.length - 1)]!;
  }

  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const entries = Object.entries(weights) as [Name, number][];
    let left = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      left -= weight;
      if (left < 0) return name;
    }
    return entries.at(-1)![0];
  }

  exponential(mean: number): number {
    return -Math.log(1 - this.next()) * mean;
  }

  fork(label: string): SeededRandom {
    return new Sfc32(`${this.#name}/${label}`);
  }
}
