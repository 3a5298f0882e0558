import type { Data } from './data.ts';

type Kept = Pick<Data<never>, 'key' | 'tables' | 'dependencies' | 'ttlSeconds'>;

/** A value without parts: whoever asks for it asks for all of it. */
export function wholeValue<Value>(kept: Kept, load: () => Promise<Value>): Data<Value> {
  return { ...kept, asked: '', covers: () => true, load };
}
