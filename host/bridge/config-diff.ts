/** What a new configuration changes in a running bridge. */
import { isDeepStrictEqual } from "node:util";
import type { BridgeConfig, ModuleConfig, ServiceConfig } from "../config/schema.ts";

export interface Changes<T> {
  readonly added: readonly T[];
  readonly changed: readonly { readonly from: T; readonly to: T }[];
  readonly removed: readonly T[];
}

export interface ConfigDiff {
  readonly services: Changes<ServiceConfig>;
  readonly modules: Changes<ModuleConfig>;
  readonly downlinks: boolean;
  /** Keys that are taken up only at the start. */
  readonly needsRestart: readonly string[];
}

export interface Renaming {
  readonly from: string;
  readonly to: string;
}

/** @param renamed a service that goes on under another name; without it that is one that goes and one that comes */
export function configDiff(before: BridgeConfig, after: BridgeConfig, renamed?: Renaming | undefined): ConfigDiff {
  const oldName = ({ name }: ServiceConfig): string => (name === renamed?.from ? renamed.to : name);
  return {
    services: diff(before.services, after.services, oldName, ({ name }) => name, isSameService),
    modules: diff(before.modules, after.modules, idOf, idOf, isDeepStrictEqual),
    downlinks: !isDeepStrictEqual(before.downlinks, after.downlinks),
    needsRestart: [
      ...changedKeys("outbox", before.outbox, after.outbox),
      ...changedKeys("http", before.http, after.http),
    ],
  };
}

function idOf({ id }: ModuleConfig): string {
  return id;
}

function diff<T>(
  before: readonly T[],
  after: readonly T[],
  oldKey: (one: T) => string,
  newKey: (one: T) => string,
  isSame: (a: T, b: T) => boolean,
): Changes<T> {
  const old = new Map(before.map((one) => [oldKey(one), one]));
  const added: T[] = [];
  const changed: { from: T; to: T }[] = [];
  for (const to of after) {
    const from = old.get(newKey(to));
    old.delete(newKey(to));
    if (from === undefined) added.push(to);
    else if (!isSame(from, to)) changed.push({ from, to });
  }
  return { added, changed, removed: [...old.values()] };
}

/** A certificate counts by what it is, not by where it was read. Its key belongs to it, so it need not be looked at. */
function isSameService(a: ServiceConfig, b: ServiceConfig): boolean {
  const { credentials: ours, ...fields } = a;
  const { credentials: theirs, ...others } = b;
  return (
    ours.rootCa === theirs.rootCa &&
    ours.certificateChain === theirs.certificateChain &&
    isDeepStrictEqual(fields, others)
  );
}

function changedKeys(
  section: string,
  before: Readonly<Record<string, unknown>> | undefined = {},
  after: Readonly<Record<string, unknown>> | undefined = {},
): readonly string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((key) => !isDeepStrictEqual(before[key], after[key]))
    .map((key) => `${section}.${key}`);
}
