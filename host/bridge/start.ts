/** A bridge from its configuration: the factories make the links, the configuration's services are connected. */
import type { Clock } from "../../protocol/bus.ts";
import { wallClock } from "../clock.ts";
import { withClientIds } from "../config/client-ids.ts";
import type {
  BridgeConfig,
  EmulatedModuleConfig,
  ModuleConfig,
  RealModuleConfig,
  TapModuleConfig,
} from "../config/schema.ts";
import { downlinkBoundsOf, linkOf, openConfiguredOutbox, servicePartOf } from "./assemble.ts";
import { Bridge } from "./core.ts";
import type { BridgeEvent } from "./events.ts";
import type { Link } from "./link.ts";
import type { Outbox } from "./outbox/outbox.ts";
import { ConnectPacer } from "./service/connect-pacer.ts";

export interface LinkContext {
  readonly clock: Clock;
  /** 0 ≤ n < 1, for what must not come in step. */
  readonly random: () => number;
}

/**
 * Makes a link and starts nothing.
 * @throws SakuraError INVALID_ARGUMENT or UNSUPPORTED for what no time can change, such as an endpoint that is none
 */
export type LinkFactory<Config extends ModuleConfig = ModuleConfig> = (config: Config, context: LinkContext) => Link;

/** One for each kind of link that the configuration may ask for. */
export interface LinkFactories {
  /** Not known here, because the host knows no emulator. */
  readonly emulated?: LinkFactory<EmulatedModuleConfig>;
  /** Not known here either: its MCU's side is an endpoint like the emulated module's. */
  readonly tap?: LinkFactory<TapModuleConfig>;
  /** Default: drives the module at the configuration's port. */
  readonly module?: LinkFactory<RealModuleConfig>;
}

export interface BridgeOptions {
  readonly config: BridgeConfig;
  readonly links: LinkFactories;
  /** Default: what the configuration asks for. The bridge closes it. */
  readonly outbox?: Outbox | undefined;
  /** Default the wall's. */
  readonly clock?: Clock | undefined;
  /** Default Math.random. */
  readonly random?: (() => number) | undefined;
  /** Default one of its own: who replaces services while it runs gives both the same. */
  readonly pacer?: ConnectPacer | undefined;
  /** From the very first event on; as `onEvent`. */
  readonly onEvent?: ((event: BridgeEvent) => void) | undefined;
}

/** How soon it is told that messages were dropped: one event for many of them. */
const LOOK_MS = 10_000;

/**
 * Starts a bridge. What time can change does not stop it: that link or service is in state `error` and is tried again.
 * @throws SakuraError INVALID_CONFIG, with nothing started
 */
export async function startBridge(options: BridgeOptions): Promise<Bridge> {
  const { config, clock = wallClock, random = Math.random } = options;
  const { pacer = new ConnectPacer(clock) } = options;
  const context = { clock, random, pacer };
  const links = config.modules.map((_, i) => linkOf(config, i, options.links, context));
  const services = withClientIds(config).map((service) => servicePartOf(service, context));
  const notes: string[] = [];
  // What it says while it is opened is told when there is somebody to tell.
  let note = (text: string): void => void notes.push(text);
  const outbox = options.outbox ?? (await openConfiguredOutbox(config, clock, (text) => note(text)));
  const downlinks = downlinkBoundsOf(config);
  const bridge = new Bridge({ links, services, outbox, clock, random, downlinks, lookMs: LOOK_MS });
  if (options.onEvent) bridge.onEvent(options.onEvent);
  note = (text) => bridge.note(text);
  for (const text of notes) note(text);
  bridge.start();
  return bridge;
}
