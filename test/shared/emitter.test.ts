import { describe, expect, test } from 'vitest';
import { createEmitter } from '../../src/shared/emitter.ts';

describe('an emitter', () => {
  test('tells every listener, in the order in which they subscribed', () => {
    const heard: string[] = [];
    const emitter = createEmitter<number>();
    emitter.subscribe((value) => heard.push(`a${value}`));
    emitter.subscribe((value) => heard.push(`b${value}`));
    emitter.emit(1);
    emitter.emit(2);
    expect(heard).toEqual(['a1', 'b1', 'a2', 'b2']);
  });

  test('tells a function as often as it has subscribed, and each subscription ends by itself', () => {
    const heard: number[] = [];
    const emitter = createEmitter<number>();
    const listen = (value: number) => void heard.push(value);
    const stop = emitter.subscribe(listen);
    emitter.subscribe(listen);
    emitter.emit(1);
    stop();
    stop();
    emitter.emit(2);
    expect(heard).toEqual([1, 1, 2]);
  });

  test('reports what a listener throws, and tells the others all the same', () => {
    const thrown: unknown[] = [];
    const heard: number[] = [];
    const emitter = createEmitter<number>((fault) => thrown.push(fault));
    const broken = new Error('broken');
    emitter.subscribe(() => {
      throw broken;
    });
    emitter.subscribe((value) => heard.push(value));
    emitter.emit(1);
    expect(thrown).toEqual([broken]);
    expect(heard).toEqual([1]);
  });

  test('does not tell a listener that another one took out meanwhile', () => {
    const heard: string[] = [];
    const emitter = createEmitter<number>();
    const stops = [emitter.subscribe(() => stops[1]!()), emitter.subscribe(() => heard.push('taken out'))];
    emitter.emit(1);
    expect(heard).toEqual([]);
  });

  test('tells a listener that subscribes meanwhile from the next time on', () => {
    const heard: number[] = [];
    const emitter = createEmitter<number>();
    const stop = emitter.subscribe(() => {
      stop();
      emitter.subscribe((value) => heard.push(value));
    });
    emitter.emit(1);
    emitter.emit(2);
    expect(heard).toEqual([2]);
  });

  test('tells nobody after clear', () => {
    const heard: number[] = [];
    const emitter = createEmitter<number>();
    emitter.subscribe((value) => heard.push(value));
    emitter.clear();
    emitter.emit(1);
    expect(heard).toEqual([]);
  });
});
