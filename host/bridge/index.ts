/** The bridge: modules on one side, integration services on the other. */
export { Bridge, type BridgeParts, type ServicePart } from "./core.ts";
export type { BridgeEvent, BridgeStats, DownlinkRefusal, UplinkRefusal } from "./events.ts";
export type { Link, LinkKind, LinkRefusal, LinkState } from "./link.ts";
export { type ModuleClient, type ModuleLinkOptions, moduleLink, realModuleLink } from "./links/module.ts";
export { linkRefusal, type OpenLink, type RetryingLinkOptions, retryingLink } from "./links/retrying.ts";
export { type OutboxOptions, openOutbox } from "./outbox/durable.ts";
export { MemoryOutbox } from "./outbox/memory.ts";
export type {
  DeadLetter,
  Dropped,
  Outbox,
  OutboxBounds,
  OutboxLane,
  OutboxMessage,
  OutboxState,
  WhenFull,
} from "./outbox/outbox.ts";
export {
  type Service,
  type ServiceEvents,
  type ServiceFailure,
  type ServiceState,
  serviceFailures,
} from "./service.ts";
export { type BridgeOptions, type LinkContext, type LinkFactories, type LinkFactory, startBridge } from "./start.ts";
