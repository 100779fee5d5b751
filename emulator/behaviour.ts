/** What a behaviour is: one command's effect on the module, and what it answers. */
import type { Clock, Uplink } from "../protocol/bus.ts";
import type { CommandName, RequestOf, ResponseOf } from "../protocol/commands.ts";
import type { Refusal } from "../protocol/status.ts";
import type { ModuleState } from "./state.ts";

/** A refusal in place of an answer. */
export class Refused {
  readonly status: Refusal;
  constructor(status: Refusal) {
    this.status = status;
  }
}

export function refuse(status: Refusal): Refused {
  return new Refused(status);
}

/** The module as a behaviour sees it. */
export interface ModuleContext {
  readonly state: ModuleState;
  readonly clock: Clock;
  readonly uplink: Uplink;
  isOnline(): boolean;
  /** Changes what being online depends on, and reports the change to the platform where there is one. */
  changeConnection(change: () => void): void;
  /** Tells the listeners of the module's events. */
  report(event: ModuleEvent): void;
}

/** What happens in a module beside its answers. */
export type ModuleEvent =
  /** The uplink did not take a message; the module says so in TX_STAT, or has dropped it (`connection`, `location`). */
  | { readonly kind: "uplink-refused"; readonly type: "channels" | "connection" | "location"; readonly error: unknown }
  /** The file source failed; the download says "server error". */
  | { readonly kind: "file-failed"; readonly id: number; readonly error: unknown }
  | { readonly kind: "online"; readonly online: boolean };

export type Behaviour<N extends CommandName> = (
  module: ModuleContext,
  request: RequestOf<N>,
) => ResponseOf<N> | Refused;

/** One behaviour for each command of the table: a command without one does not compile. */
export type Behaviours = { [N in CommandName]: Behaviour<N> };

/** A behaviour laid over another; `next` is the one below. */
export type Override<N extends CommandName> = (
  request: RequestOf<N>,
  next: () => ResponseOf<N> | Refused,
  module: ModuleContext,
) => ResponseOf<N> | Refused;
