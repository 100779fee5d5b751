/** The parts of a bridge from their configuration: links by their factories, services, the outbox. */
import type { Clock } from "../../protocol/bus.ts";
import { isSakuraError, SakuraError } from "../../protocol/errors.ts";
import { monotonicMs } from "../clock.ts";
import type { IdentifiedService } from "../config/client-ids.ts";
import type { BridgeConfig, ModuleConfig, ServiceConfig } from "../config/schema.ts";
import { awsIotService } from "./aws-iot/service.ts";
import type { DownlinkBounds } from "./downlink/queue.ts";
import type { Link } from "./link.ts";
import { realModuleLink } from "./links/module.ts";
import { openOutbox } from "./outbox/durable.ts";
import type { Outbox } from "./outbox/outbox.ts";
import type { ConnectPacer } from "./service/connect-pacer.ts";
import type { ServicePart } from "./service-place.ts";
import type { LinkContext, LinkFactories } from "./start.ts";

/** What services share. */
export interface ServiceContext extends LinkContext {
  readonly pacer: ConnectPacer;
}

/**
 * The outbox that a configuration asks for.
 * @param clock a wall's clock
 * @param report what it has to say, for people
 */
export function openConfiguredOutbox(
  { outbox }: Pick<BridgeConfig, "outbox">,
  clock: Clock,
  report: (note: string) => void,
): Promise<Outbox> {
  return openOutbox({
    path: outbox.path,
    bounds: { maxBytes: outbox.max_bytes, maxAgeMs: outbox.max_age, whenFull: outbox.when_full },
    clock: { now: () => monotonicMs(clock), after: (ms, run) => clock.after(ms, run) },
    wall: () => clock.now(),
    report,
  });
}

export function servicePartOf(
  { config, clientId }: IdentifiedService<ServiceConfig>,
  { clock, random, pacer }: ServiceContext,
): ServicePart {
  return {
    name: config.name,
    modules: config.modules,
    resultTopic: config.result_topic,
    create: (lane) => awsIotService({ config, clientId, lane, clock, random, pacer }),
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
