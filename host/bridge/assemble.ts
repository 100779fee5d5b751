/** The parts of a bridge from their configuration: links by their factories, services, the outbox. */
import type { Clock } from "../../protocol/bus.ts";
import { isSakuraError, SakuraError } from "../../protocol/errors.ts";
import type { IdentifiedService } from "../config/client-ids.ts";
import type { BridgeConfig, ModuleConfig } from "../config/schema.ts";
import { awsIotService } from "./aws-iot.ts";
import type { DownlinkBounds } from "./downlink-queue.ts";
import type { Link } from "./link.ts";
import { realModuleLink } from "./links/module.ts";
import { MemoryOutbox } from "./outbox/memory.ts";
import type { Outbox } from "./outbox/outbox.ts";
import type { ServicePart } from "./service-place.ts";
import type { LinkContext, LinkFactories } from "./start.ts";

/**
 * The outbox that a configuration asks for.
 * @param _report what it has to say, for people
 */
export function defaultOutbox(config: BridgeConfig, _clock: Clock, _report: (note: string) => void): Promise<Outbox> {
  return Promise.resolve(new MemoryOutbox(config.outbox.max_bytes));
}

export function servicePartOf({ config, clientId }: IdentifiedService, { clock, random }: LinkContext): ServicePart {
  return {
    name: config.name,
    modules: config.modules,
    resultTopic: config.result_topic,
    create: (lane) => awsIotService({ config, clientId, lane, clock, random }),
  };
}

export function downlinkBoundsOf({ downlinks }: BridgeConfig): DownlinkBounds {
  return { maxWaiting: downlinks.max_waiting, maxAgeMs: downlinks.max_age };
}

/**
 * The link of `config.modules[index]`, nothing started.
 * @throws SakuraError INVALID_CONFIG, with its place in the file
 */
export function linkOf(config: BridgeConfig, index: number, factories: LinkFactories, context: LinkContext): Link {
  const path = ["modules", index];
  const module = config.modules[index];
  if (!module) throw new SakuraError("INVALID_ARGUMENT", `there is no modules[${index}]`);
  try {
    const link = createLink(module, factories, context);
    if (link) return link;
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

function createLink(module: ModuleConfig, factories: LinkFactories, context: LinkContext): Link | undefined {
  switch (module.link) {
    case "module":
      return (factories.module ?? realModuleLink)(module, context);
    case "tap":
      return factories.tap?.(module, context);
    case "emulated":
      return factories.emulated?.(module, context);
  }
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
