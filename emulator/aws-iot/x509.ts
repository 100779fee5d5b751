/**
 * The certificate library, loaded when first needed: it costs a fifth of a second.
 *
 * Its dependency injection refuses to load without three of the metadata functions of a decorator proposal, which it
 * calls only while loading. They are lent to it for just that long: left behind, they would be half a polyfill, and
 * break a program that brings a whole one.
 */
import { createRequire } from "node:module";
import type * as X509 from "@peculiar/x509";

const require = createRequire(import.meta.url);
let loaded: typeof X509 | undefined;

/** The library; the same one on every call. */
export function loadX509(): typeof X509 {
  if (loaded) return loaded;
  const lent = Object.entries(metadataFunctions()).filter(([name]) => !Reflect.has(Reflect, name));
  for (const [name, value] of lent) Reflect.defineProperty(Reflect, name, { value, configurable: true });
  try {
    // Not import(): between its start and its end other code runs, and would see what is lent.
    const library: typeof X509 = require("@peculiar/x509");
    loaded = library;
    return library;
  } finally {
    for (const [name] of lent) Reflect.deleteProperty(Reflect, name);
  }
}

function metadataFunctions() {
  const store = new WeakMap<object, Map<unknown, unknown>>();
  const getOwnMetadata = (key: unknown, target: object): unknown => store.get(target)?.get(key);
  return {
    getOwnMetadata,
    getMetadata(key: unknown, target: object): unknown {
      for (let at: object | null = target; at; at = Object.getPrototypeOf(at)) {
        if (store.get(at)?.has(key)) return getOwnMetadata(key, at);
      }
      return undefined;
    },
    defineMetadata(key: unknown, value: unknown, target: object): void {
      const entries = store.get(target) ?? new Map<unknown, unknown>();
      store.set(target, entries.set(key, value));
    },
  };
}
