/** A bridge from its configuration: the factories make the links, the configuration's services are connected. */
import type { Clock } from "../../protocol/bus.ts";
import { isSakuraError, SakuraError } from "../../protocol/errors.ts";
import { withClientIds } from "../config/client-ids.ts";
import type {
  BridgeConfig,
  EmulatedModuleConfig,
  ModuleConfig,
  RealModuleConfig,
  TapModuleConfig,
} from "../config/schema.ts";
import { awsIotService } from "./aws-iot.ts";
import { Bridge } from "./core.ts";
import type { BridgeEvent } from "./events.ts";
import type { Link } from "./link.ts";
import { realModuleLink } from "./links/module.ts";
import { MemoryOutbox } from "./outbox/memory.ts";
import type { Outbox } from "./outbox/outbox.ts";

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
  /** Default: in memory, with the configuration's bound. The bridge closes it. */
  readonly outbox?: Outbox;
  /** Default the wall's. */
  readonly clock?: Clock;
  /** Default Math.random. */
  readonly random?: () => number;
  /** From the very first event on; as `onEvent`. */
  readonly onEvent?: (event: BridgeEvent) => void;
}

/**
 * The wall's clock as it is now, not as it was at the start: a small machine learns the time from the network minutes
 * after the bridge has begun, and messages carry it. A pending wait keeps the process alive.
 */
const wallClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/**
 * Starts a bridge. What time can change does not stop it: that link or service is in state `error` and is tried again.
 * @throws SakuraError INVALID_CONFIG, with nothing started
 */
export async function startBridge(options: BridgeOptions): Promise<Bridge> {
  const { config, clock = wallClock, random = Math.random } = options;
  const outbox = options.outbox ?? new MemoryOutbox(config.outbox.max_bytes);
  const links = config.modules.map((module, i) => createLink(module, i, options, { clock, random }));
  const services = withClientIds(config).map(({ config: service, clientId }) => {
    const lane = outbox.lane(service.name);
    return {
      service: awsIotService({ config: service, clientId, lane, clock, random }),
      lane,
      modules: service.modules,
    };
  });
  const bridge = new Bridge({ links, services, outbox, clock });
  if (options.onEvent) bridge.onEvent(options.onEvent);
  bridge.start();
  return bridge;
}

function createLink(module: ModuleConfig, index: number, { config, links }: BridgeOptions, context: LinkContext): Link {
  const path = ["modules", index];
  try {
    if (module.link === "module") return (links.module ?? realModuleLink)(module, context);
    if (module.link === "tap") {
      if (links.tap) return links.tap(module, context);
    } else if (links.emulated) return links.emulated(module, context);
  } catch (error) {
    if (!isSakuraError(error, "INVALID_ARGUMENT") && !isSakuraError(error, "UNSUPPORTED")) throw error;
    const place = config.where([...path, portField(module)]);
    throw new SakuraError("INVALID_CONFIG", `${place}: ${error.message}`, { context: { where: place }, cause: error });
  }
  const place = config.where([...path, "link"]);
  throw new SakuraError("INVALID_CONFIG", `${place}: this program has no link ${module.link}`, {
    context: { where: place },
  });
}

/** Where a link's configuration says how its other end is reached. */
function portField(module: ModuleConfig): string {
  switch (module.link) {
    case "module":
      return "port";
    case "tap":
      return "module";
    case "emulated":
      return module.uart === undefined ? "bus_pirate" : "uart";
  }
}
