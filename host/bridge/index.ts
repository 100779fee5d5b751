/** The bridge: modules on one side, integration services on the other. */
export type { BridgeControl, CertificateView, ReloadReport, ServiceView, WaitingDownlink } from "./control.ts";
export { Bridge, type BridgeParts } from "./core.ts";
export type { DownlinkBounds } from "./downlink/queue.ts";
export type { BridgeEvent, BridgeStats, DownlinkRefusal, UplinkRefusal } from "./events.ts";
export type { Link, LinkKind, LinkNote, LinkNoteKind, LinkRefusal, LinkState } from "./link.ts";
export { type ModuleClient, type ModuleLinkOptions, moduleLink, realModuleLink } from "./links/module.ts";
export { linkRefusal, type OpenLink, type RetryingLinkOptions, retryingLink } from "./links/retrying.ts";
export { type TapLines, type TapLinkOptions, tapLink } from "./links/tap.ts";
export { ManagedBridge, type ManagedBridgeOptions, startManagedBridge } from "./managed-bridge.ts";
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
  type ConnectionState,
  type PastFailure,
  type Service,
  type ServiceEvents,
  type ServiceFailure,
  type ServiceState,
  type Standing,
  serviceFailures,
} from "./service.ts";
export type { ServicePart } from "./service-place.ts";
export { type BridgeOptions, type LinkContext, type LinkFactories, type LinkFactory, startBridge } from "./start.ts";
